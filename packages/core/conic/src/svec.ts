import { requireInteger, requireObject, ShapeError } from "@offprint/tensor-core";
import { svecLength } from "./cones.js";

/**
 * The lower triangle of a symmetric matrix, column by column, off-diagonal entries times sqrt 2, so that the inner
 * product of two such vectors is that of the matrices. Only the lower triangle is read.
 *
 * @param matrix `[n, n]` row-major
 * @throws ShapeError for another number of entries
 */
export function svec(matrix: ArrayLike<number>, n: number): Float64Array {
  requireObject("svec", "matrix", matrix, "an array of numbers");
  requireInteger("svec", "n", n, 0);
  if (matrix.length !== n * n) {
    throw new ShapeError(`svec: a matrix of order ${n} has ${n * n} entries, got ${matrix.length}`);
  }
  const out = new Float64Array(svecLength(n));
  for (let j = 0, k = 0; j < n; j++) {
    out[k++] = matrix[j * n + j];
    for (let i = j + 1; i < n; i++) out[k++] = Math.SQRT2 * matrix[i * n + j];
  }
  return out;
}

/**
 * The inverse of {@link svec}: `[n, n]` row-major.
 *
 * @throws ShapeError for another number of entries than `n (n + 1) / 2`
 */
export function smat(vector: ArrayLike<number>, n: number): Float64Array {
  requireObject("smat", "vector", vector, "an array of numbers");
  requireInteger("smat", "n", n, 0);
  if (vector.length !== svecLength(n)) {
    throw new ShapeError(`smat: a matrix of order ${n} needs ${svecLength(n)} entries, got ${vector.length}`);
  }
  const out = new Float64Array(n * n);
  readSmat(vector, 0, n, out, 0);
  return out;
}

/** @internal `smat` from an offset into an offset, without allocating. */
export function readSmat(from: ArrayLike<number>, start: number, n: number, out: Float64Array, offset: number): void {
  for (let j = 0, k = start; j < n; j++) {
    out[offset + j * n + j] = from[k++];
    for (let i = j + 1; i < n; i++) {
      const value = from[k++] * Math.SQRT1_2;
      out[offset + i * n + j] = value;
      out[offset + j * n + i] = value;
    }
  }
}

/**
 * Row of the entry (i, j), i >= j, in `svec` of a matrix of order n.
 *
 * @throws ValueError for an entry that is not in the lower triangle
 */
export function svecIndex(i: number, j: number, n: number): number {
  requireInteger("svecIndex", "n", n, 1);
  requireInteger("svecIndex", "i", i, 0, n - 1);
  requireInteger("svecIndex", "j", j, 0, i);
  return j * n - (j * (j - 1)) / 2 + (i - j);
}

/** CVXOPT's vectorisation (all n^2 entries, column by column, no factors) of an `svec`. */
export function svecToFull(vector: ArrayLike<number>, n: number): Float64Array {
  requireObject("svecToFull", "vector", vector, "an array of numbers");
  return smat(vector, n);
}

/**
 * The `svec` of CVXOPT's vectorisation, of which the lower triangle is read as CVXOPT does.
 *
 * @throws ShapeError for another number of entries than `n^2`
 */
export function fullToSvec(full: ArrayLike<number>, n: number): Float64Array {
  requireObject("fullToSvec", "full", full, "an array of numbers");
  requireInteger("fullToSvec", "n", n, 0);
  if (full.length !== n * n) {
    throw new ShapeError(`fullToSvec: a matrix of order ${n} has ${n * n} entries, got ${full.length}`);
  }
  const transposed = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) transposed[i * n + j] = full[j * n + i];
  return svec(transposed, n);
}
