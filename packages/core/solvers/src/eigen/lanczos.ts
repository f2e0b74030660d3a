import { ShapeError, type sparse, ValueError } from "@offprint/tensor-core";
import { readVector } from "@offprint/tensor-core/internal";
import { checkCount, IterationMonitor, type IterationOptions } from "../linear/iteration.js";
import { asOperator, checkFinite, type LinearOperator, type OperatorLike } from "../linear/linear-operator.js";
import { addScaled, dot, norm } from "../linear/vector-arithmetic.js";
import { tridiagonalEigen } from "./tridiagonal-eigen.js";

/** Options of {@link lanczos}. */
export interface LanczosOptions extends IterationOptions {
  /** Direction of the first basis vector, `[n]`, not zero. Default a fixed vector without symmetry. */
  readonly start?: sparse.VectorLike;
}

/** `A Q = Q T + (residual in the last column)`: orthonormal basis and tridiagonal matrix. */
export interface LanczosResult {
  /** Rows are the basis vectors: row-major `[steps, n]`. */
  readonly basis: Float64Array;
  /** Diagonal of `T`, `[steps]`. */
  readonly diagonal: Float64Array;
  /** Off-diagonal of `T`, `[steps - 1]`; 0 where an invariant subspace was complete and a new vector was started. */
  readonly offDiagonal: Float64Array;
  /** Norm of what is left after the last step: 0 if the basis spans an invariant subspace. */
  readonly residualNorm: number;
  /** Steps taken: as asked for, at most `n`. */
  readonly steps: number;
}

/** A vector that no symmetry of a problem is likely to annihilate, the same on every call. */
function fixedVector(n: number, salt: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => (((i + 1 + salt * 0.37) * 0.6180339887498949) % 1) - 0.4142);
}

/** @internal The process step by step; vectors are orthogonalised against all earlier ones, twice. */
export class LanczosProcess {
  readonly basis: Float64Array[] = [];
  readonly diagonal: number[] = [];
  readonly offDiagonal: number[] = [];
  /** Norm of the residual of the last step, the next off-diagonal entry. */
  residualNorm = 0;
  private readonly apply: LinearOperator;
  private readonly n: number;
  private readonly next: Float64Array;
  private scale = 0;

  constructor(apply: LinearOperator, start: Float64Array) {
    this.apply = apply;
    this.n = start.length;
    const size = norm(start);
    this.basis.push(start.map((v) => v / size));
    this.next = new Float64Array(this.n);
  }

  /** Adds row and column `steps` to the tridiagonal matrix. Needs `basis.length > diagonal.length`. */
  advance(): void {
    const { basis, next } = this;
    const current = basis[this.diagonal.length];
    this.apply(current, next);
    const alpha = dot(current, next);
    if (!Number.isFinite(alpha)) throw new ValueError("lanczos: the operator gave values that are not finite");
    this.scale = Math.max(this.scale, norm(next));
    this.diagonal.push(alpha);
    this.orthogonalize(next);
    this.residualNorm = norm(next);
    if (this.residualNorm <= 1e-14 * this.scale) this.residualNorm = 0;
    if (basis.length === this.n) return;
    if (this.residualNorm === 0) this.restart();
    else basis.push(next.map((v) => v / this.residualNorm));
    this.offDiagonal.push(this.residualNorm);
  }

  private orthogonalize(x: Float64Array): void {
    for (let round = 0; round < 2; round++) for (const q of this.basis) addScaled(x, -dot(q, x), q);
  }

  /** The subspace is invariant: goes on in its orthogonal complement. */
  private restart(): void {
    for (let salt = 1; ; salt++) {
      const fresh = fixedVector(this.n, salt * (this.basis.length + 1));
      const before = norm(fresh);
      this.orthogonalize(fresh);
      const size = norm(fresh);
      if (size < 1e-8 * before && salt < 20) continue;
      this.basis.push(fresh.map((v) => v / size));
      return;
    }
  }
}

function startVector(start: sparse.VectorLike | undefined, n: number): Float64Array {
  const vector = start === undefined ? fixedVector(n, 0) : readVector(start, n, "lanczos: start");
  checkFinite(vector, "lanczos: start");
  if (norm(vector) === 0) throw new ValueError("lanczos: start must not be zero");
  return vector;
}

/**
 * Lanczos tridiagonalisation of a symmetric operator with full re-orthogonalisation: `steps` products with `A` and
 * `O(n steps^2)` arithmetic. Where an invariant subspace ends the process, it goes on in the complement.
 *
 * @param a - `[n, n]` symmetric matrix or operator.
 * @param n - Order of `a`.
 * @param steps - At most `n` are taken.
 * @throws ShapeError; ValueError for values that are not finite; AbortedError.
 */
export function lanczos(a: OperatorLike, n: number, steps: number, options: LanczosOptions = {}): LanczosResult {
  checkCount(n, "lanczos: n");
  checkCount(steps, "lanczos: steps");
  const taken = Math.min(n, steps);
  const process = new LanczosProcess(asOperator(a, n, "lanczos: A"), startVector(options.start, n));
  const monitor = new IterationMonitor(options, "lanczos");
  for (let k = 1; k <= taken; k++) {
    process.advance();
    monitor.report(k, process.residualNorm);
  }
  const basis = new Float64Array(taken * n);
  for (let k = 0; k < taken; k++) basis.set(process.basis[k], k * n);
  return {
    basis,
    diagonal: Float64Array.from(process.diagonal),
    offDiagonal: Float64Array.from(process.offDiagonal.slice(0, taken - 1)),
    residualNorm: process.residualNorm,
    steps: taken,
  };
}

/** Options of {@link lanczosEigenpairs}. */
export interface LanczosEigenOptions extends LanczosOptions {
  /** Which end of the spectrum (default `"largest"`). */
  readonly which?: "largest" | "smallest";
  /** How many eigenpairs (default 1). */
  readonly count?: number;
  /** Converged when every residual `|A v - lambda v|` is at most this times the largest `|lambda|` (default 1e-10). */
  readonly tolerance?: number;
  /** Most steps, and vectors in memory (default `min(n, max(300, 10 count))`). */
  readonly maxSteps?: number;
}

/** Result of {@link lanczosEigenpairs}. */
export interface LanczosEigenResult {
  /** Eigenvalues, `[count]`: descending for `"largest"`, ascending for `"smallest"`. */
  readonly values: Float64Array;
  /** Rows are the unit eigenvectors: row-major `[count, n]`. */
  readonly vectors: Float64Array;
  /** Estimates of `|A v - lambda v|`, `[count]`. */
  readonly residuals: Float64Array;
  /** Why the solver stopped. */
  readonly status: "converged" | "maxSteps";
  /** Products with `A`. */
  readonly steps: number;
}

/**
 * Extremal eigenpairs of a symmetric operator by Lanczos with full re-orthogonalisation. Copies of a multiple eigenvalue
 * are found only as far as rounding or an exhausted subspace brings them in.
 *
 * @param a - `[n, n]` symmetric matrix or operator.
 * @param n - Order of `a`.
 * @throws ShapeError; ValueError for values that are not finite; AbortedError.
 */
export function lanczosEigenpairs(a: OperatorLike, n: number, options: LanczosEigenOptions = {}): LanczosEigenResult {
  const { which = "largest", count = 1, tolerance = 1e-10 } = options;
  checkCount(n, "lanczosEigenpairs: n");
  checkCount(count, "lanczosEigenpairs: count");
  if (count > n) throw new ShapeError(`lanczosEigenpairs: count ${count} exceeds the order ${n}`);
  const maxSteps = Math.min(n, options.maxSteps ?? Math.max(300, 10 * count));
  if (maxSteps < count) throw new ValueError(`lanczosEigenpairs: maxSteps must be at least count (${count})`);
  const process = new LanczosProcess(asOperator(a, n, "lanczosEigenpairs: A"), startVector(options.start, n));
  const monitor = new IterationMonitor(options, "lanczosEigenpairs");
  for (let k = 1, check = Math.min(maxSteps, Math.max(count, 8)); ; k++) {
    process.advance();
    monitor.report(k, process.residualNorm);
    if (k < check) continue;
    const ritz = ritzPairs(process, count, which);
    const converged = k === n || ritz.worst <= tolerance;
    if (converged || k === maxSteps)
      return { ...eigenvectors(process, ritz, n), status: converged ? "converged" : "maxSteps", steps: k };
    // Each test costs O(k^3); tests at growing distances keep the sum at that order.
    check = Math.min(maxSteps, k + Math.max(4, Math.ceil(k / 4)));
  }
}

interface RitzPairs {
  readonly values: Float64Array;
  readonly coefficients: Float64Array[];
  readonly residuals: Float64Array;
  /** Largest residual relative to the largest Ritz value. */
  readonly worst: number;
}

function ritzPairs(process: LanczosProcess, count: number, which: "largest" | "smallest"): RitzPairs {
  const k = process.diagonal.length;
  const { values, vectors } = tridiagonalEigen(process.diagonal, process.offDiagonal.slice(0, k - 1), "all");
  const chosen = Array.from({ length: count }, (_, i) => (which === "largest" ? k - 1 - i : i));
  const residuals = Float64Array.from(chosen, (j) => process.residualNorm * Math.abs(vectors[(k - 1) * k + j]));
  const scale = Math.max(Math.abs(values[0]), Math.abs(values[k - 1]), Number.MIN_VALUE);
  return {
    values: Float64Array.from(chosen, (j) => values[j]),
    coefficients: chosen.map((j) => Float64Array.from({ length: k }, (_, i) => vectors[i * k + j])),
    residuals,
    worst: Math.max(...residuals) / scale,
  };
}

function eigenvectors(process: LanczosProcess, ritz: RitzPairs, n: number) {
  const vectors = new Float64Array(ritz.values.length * n);
  ritz.coefficients.forEach((coefficients, r) => {
    const row = vectors.subarray(r * n, (r + 1) * n);
    coefficients.forEach((c, i) => {
      addScaled(row, c, process.basis[i]);
    });
    const size = norm(row);
    for (let i = 0; i < n; i++) row[i] /= size;
  });
  return { values: ritz.values, vectors, residuals: ritz.residuals };
}
