import {
  lanczosSync,
  type RunOptions,
  type RunState,
  runLoop,
  runOptionNames,
  type Status,
  tridiagonalEigen,
} from "@offprint/solvers";
import {
  checkOptions,
  requireInteger,
  requireObject,
  requirePositive,
  ShapeError,
  sparse,
  ValueError,
} from "@offprint/tensor-core";
import { requireSameSystem } from "./same-system.js";
import { dot, norm, powerOfTwo } from "./vector-arithmetic.js";

/** One iteration. */
export interface DeflatedRecord {
  /** From 1. */
  readonly iteration: number;
  /** Euclidean norm of the residual, by the recurrence. */
  readonly residualNorm: number;
}

/** Where the iteration stands; a tree. */
export interface DeflatedPoint {
  /** `[n]` the iterate, as all here for A and b over the powers of two at their largest entries. */
  readonly x: Float64Array;
  /** `[n]` by the recurrence. */
  readonly residual: Float64Array;
  /** `[n]` the next one. */
  readonly direction: Float64Array;
  /** `r . D^-1 r` */
  readonly rho: number;
  /** Its Euclidean norm. */
  readonly residualNorm: number;
}

/** A state to go on from. */
export type DeflatedState = RunState<DeflatedPoint, DeflatedRecord>;

/** Options of {@link deflatedConjugateGradients}. */
export interface DeflatedOptions extends RunOptions<DeflatedRecord, DeflatedState> {
  /** Ritz vectors that are taken out. Default 16. */
  readonly vectors?: number;
  /** Converged when the norm of the residual is at most this times that of b. Default 1e-4. */
  readonly tolerance?: number;
  /** Default ten times the order of A. */
  readonly maxIterations?: number;
}

/** What {@link deflatedConjugateGradients} gives. */
export interface DeflatedResult {
  /** `[n]` */
  readonly x: Float64Array;
  /** Norm of the residual, by the recurrence. */
  readonly residualNorm: number;
  /** How it ended. */
  readonly status: Status;
  /** Iterations made, those of resumed runs included. */
  readonly iterations: number;
  /** One record for each. */
  readonly history: readonly DeflatedRecord[];
  /** What a further run resumes from. */
  readonly state: DeflatedState;
}

/**
 * The baseline: conjugate gradients with Jacobi's preconditioner, from which some Ritz vectors of a Lanczos process begun at b
 * are taken out, so that the slow modes they stand for are solved at the start and stay solved.
 * @throws ShapeError; ValueError for a diagonal that is not positive.
 * @see Saad, Yeung, Erhel and Guyomarc'h, A deflated version of the conjugate gradient algorithm, SISC 2000
 */
export async function deflatedConjugateGradients(
  a: sparse.SparseMatrix,
  b: Float64Array,
  options: DeflatedOptions = {},
): Promise<DeflatedResult> {
  requireObject("deflatedConjugateGradients", "a", a, "a sparse matrix");
  requireObject("deflatedConjugateGradients", "b", b, "a Float64Array");
  const owner = "deflatedConjugateGradients";
  checkOptions(owner, options, ["vectors", "tolerance", "maxIterations", ...runOptionNames]);
  const n = b.length;
  if (a.rows !== n || a.columns !== n)
    throw new ShapeError(`${owner}: A has shape [${a.shape}]; it must be [${n}, ${n}]`);
  const { vectors = 16, tolerance = 1e-4, maxIterations = 10 * n } = options;
  requireInteger(owner, "vectors", vectors, 1);
  requirePositive(owner, "tolerance", tolerance);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  const wrong = b.findIndex((v) => !Number.isFinite(v));
  if (wrong >= 0) throw new ValueError(`${owner}: b must be finite, got ${b[wrong]} at ${wrong}`);
  // Of squares of A and b none overflows or vanishes.
  const unitOfA = powerOfTwo(Float64Array.from(a.values));
  const inUnits = sparse.scale(a, 1 / unitOfA);
  const diagonal = sparse.diagonalOf(inUnits).map((d, i) => {
    if (d > 0 || b[i] === 0) return d > 0 ? d : 1;
    throw new ValueError(`${owner}: diagonal entry ${i} is ${d * unitOfA}; that of a positive definite matrix is > 0`);
  });
  const unit = powerOfTwo(b);
  const right = b.map((v) => v / unit);
  const size = norm(right);
  const coarse =
    size === 0 ? (v: Float64Array) => v.map(() => 0) : coarseCorrection(inUnits, right, Math.min(vectors, n));
  const product = (x: Float64Array) => sparse.multiplyVector(inUnits, x);
  const residualAt = (x: Float64Array) => product(x).map((v, i) => right[i] - v);
  const pointAt = (x: Float64Array, residual: Float64Array, direction: Float64Array, rho: number): DeflatedPoint => ({
    x,
    residual,
    direction,
    rho,
    residualNorm: norm(residual),
  });
  const preconditioned = (r: Float64Array) => r.map((v, i) => v / diagonal[i]);
  const { last, ...run } = await runLoop<DeflatedPoint, DeflatedRecord>(
    {
      owner,
      limit: maxIterations,
      initial() {
        const x = coarse(right);
        const residual = residualAt(x);
        const z = preconditioned(residual);
        const taken = coarse(product(z));
        return pointAt(
          x,
          residual,
          z.map((v, i) => v - taken[i]),
          dot(residual, z),
        );
      },
      step({ x, residual, direction, rho }) {
        const ap = product(direction);
        const curvature = dot(direction, ap);
        if (!(curvature > 0))
          throw new ValueError(
            `${owner}: the curvature along a direction is ${curvature}; A must be positive definite`,
          );
        const alpha = rho / curvature;
        const r = residual.map((v, i) => v - alpha * ap[i]);
        const z = preconditioned(r);
        const next = dot(r, z);
        const taken = coarse(product(z));
        const p = z.map((v, i) => v + (next / rho) * direction[i] - taken[i]);
        return pointAt(
          x.map((v, i) => v + alpha * direction[i]),
          r,
          p,
          next,
        );
      },
      record: ({ residualNorm }, iteration) => ({ iteration, residualNorm: unit * residualNorm }),
      finished: ({ residualNorm }) => (residualNorm <= tolerance * size ? "converged" : undefined),
      check({ x, residual }) {
        requireSameSystem(owner, x, residual, n, residualAt);
      },
    },
    options,
  );
  return { ...run, x: last.x.map((v) => (v / unitOfA) * unit), residualNorm: unit * last.residualNorm };
}

/** `C v = sum over Ritz vectors q of q (q . v) / (q . A q)`. */
function coarseCorrection(a: sparse.SparseMatrix, b: Float64Array, count: number): (v: Float64Array) => Float64Array {
  const n = b.length;
  const { basis, diagonal, offDiagonal, iterations } = lanczosSync(a, n, { initial: b, maxIterations: count });
  const { values, vectors } = tridiagonalEigen(diagonal, offDiagonal, "all");
  const pairs = Array.from(values, (value, j) => {
    const q = new Float64Array(n);
    for (let k = 0; k < iterations; k++) {
      const weight = vectors[k * iterations + j];
      for (let i = 0; i < n; i++) q[i] += weight * basis[k * n + i];
    }
    return { q, value };
  });
  return (v) => {
    const out = new Float64Array(n);
    for (const { q, value } of pairs) {
      const weight = dot(q, v) / value;
      for (let i = 0; i < n; i++) out[i] += weight * q[i];
    }
    return out;
  };
}
