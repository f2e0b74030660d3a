import { ShapeError } from "../errors.js";
import type { Compressed } from "./compressed.js";
import {
  type DenseMatrix,
  type MatrixLike,
  readMatrix,
  readVector,
  resultArray,
  type VectorLike,
} from "./dense-operand.js";
import { requireSparse } from "./operands.js";
import { compressedForm, majorLists, type SparseMatrix } from "./sparse-matrix.js";

/**
 * `a x` for a vector `x` `[columns]`, into `out` `[rows]` if given (it must not be `x`), without allocating then.
 * @throws ShapeError if lengths do not fit.
 */
export function multiplyVector(a: SparseMatrix, x: VectorLike, out?: Float64Array): Float64Array {
  requireSparse("multiplyVector", a);
  const vector = readVector(x, a.columns, "multiplyVector: x");
  return product(a, vector, resultArray(out, a.rows, "multiplyVector"), false);
}

/** `transpose(a) x` for a vector `x` `[rows]`, into `out` `[columns]` if given; the transpose is not formed. */
export function multiplyTransposedVector(a: SparseMatrix, x: VectorLike, out?: Float64Array): Float64Array {
  requireSparse("multiplyTransposedVector", a);
  const vector = readVector(x, a.rows, "multiplyTransposedVector: x");
  return product(a, vector, resultArray(out, a.columns, "multiplyTransposedVector"), true);
}

function product(a: SparseMatrix, x: Float64Array, out: Float64Array, transposed: boolean): Float64Array {
  if (a.format === "coo") {
    const [to, from] = transposed ? [a.columnIndices, a.rowIndices] : [a.rowIndices, a.columnIndices];
    out.fill(0);
    for (let k = 0; k < a.values.length; k++) out[to[k]] += a.values[k] * x[from[k]];
    return out;
  }
  if ((a.format === "csr") !== transposed) gather(a.indptr, a.indices, a.values, x, out);
  else scatter(a.indptr, a.indices, a.values, x, out);
  return out;
}

function gather(
  indptr: Int32Array,
  indices: Int32Array,
  values: Float64Array,
  x: Float64Array,
  out: Float64Array,
): void {
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let p = indptr[i]; p < indptr[i + 1]; p++) sum += values[p] * x[indices[p]];
    out[i] = sum;
  }
}

function scatter(
  indptr: Int32Array,
  indices: Int32Array,
  values: Float64Array,
  x: Float64Array,
  out: Float64Array,
): void {
  out.fill(0);
  for (let i = 0; i < x.length; i++) {
    const factor = x[i];
    for (let p = indptr[i]; p < indptr[i + 1]; p++) out[indices[p]] += values[p] * factor;
  }
}

/** `a x` for a dense `x` `[columns, k]`: a dense `[rows, k]`. @throws ShapeError if shapes do not fit. */
export function multiplyDense(a: SparseMatrix, x: MatrixLike): DenseMatrix {
  requireSparse("multiplyDense", a);
  return denseProduct(a, readMatrix(x, "multiplyDense: x"), false);
}

/** `transpose(a) x` for a dense `x` `[rows, k]`: a dense `[columns, k]`. */
export function multiplyTransposedDense(a: SparseMatrix, x: MatrixLike): DenseMatrix {
  requireSparse("multiplyTransposedDense", a);
  return denseProduct(a, readMatrix(x, "multiplyTransposedDense: x"), true);
}

function denseProduct(a: SparseMatrix, x: DenseMatrix, transposed: boolean): DenseMatrix {
  const [rows, inner] = transposed ? [a.columns, a.rows] : [a.rows, a.columns];
  if (x.shape[0] !== inner) {
    throw new ShapeError(`sparse times dense: x of shape [${x.shape}] must have ${inner} rows`);
  }
  const k = x.shape[1];
  const out = new Float64Array(rows * k);
  eachEntry(a, (i, j, value) => {
    const [to, from] = transposed ? [j * k, i * k] : [i * k, j * k];
    for (let c = 0; c < k; c++) out[to + c] += value * x.values[from + c];
  });
  return { shape: [rows, k], values: out };
}

/** `x a` for a dense `x` `[k, rows]`: a dense `[k, columns]`. @throws ShapeError if shapes do not fit. */
export function denseMultiply(x: MatrixLike, a: SparseMatrix): DenseMatrix {
  requireSparse("denseMultiply", a);
  const { shape, values } = readMatrix(x, "denseMultiply: x");
  const [k, inner] = shape;
  if (inner !== a.rows) throw new ShapeError(`denseMultiply: x of shape [${shape}] must have ${a.rows} columns`);
  const out = new Float64Array(k * a.columns);
  for (let r = 0; r < k; r++) {
    const row = out.subarray(r * a.columns, (r + 1) * a.columns);
    product(a, values.subarray(r * inner, (r + 1) * inner), row, true);
  }
  return { shape: [k, a.columns], values: out };
}

function eachEntry(a: SparseMatrix, visit: (i: number, j: number, value: number) => void): void {
  const compressed = compressedForm(a);
  const { major, indptr, indices, values }: Compressed = majorLists(compressed);
  const byRows = compressed.format === "csr";
  for (let i = 0; i < major; i++) {
    for (let p = indptr[i]; p < indptr[i + 1]; p++) {
      if (byRows) visit(i, indices[p], values[p]);
      else visit(indices[p], i, values[p]);
    }
  }
}
