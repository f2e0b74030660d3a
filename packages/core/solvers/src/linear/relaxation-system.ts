import { requireObject, ShapeError, sparse, ValueError } from "@offprint/tensor-core";
import type { RelaxationMatrix } from "@offprint/tensor-core/internal";
import { checkFinite } from "./linear-operator.js";
import {
  type LinearSolverOptions,
  type LinearSolverSettings,
  LinearSystem,
  linearOptionNames,
} from "./linear-solver.js";
import { maxNorm, norm } from "./vector-arithmetic.js";

/** What relaxation has of its own. */
export interface RelaxationSettings extends Omit<LinearSolverSettings, "preconditioner"> {
  /** Relaxation parameter, in (0, 2); 1 is Gauss-Seidel. */
  readonly omega: number;
  /** Solves `(A + shift I) x = b` (default 0), without forming that matrix. */
  readonly shift?: number;
}

/** Options of `sor` and `ssor`. */
export interface RelaxationOptions extends Omit<LinearSolverOptions, "preconditioner">, RelaxationSettings {}

/** @internal */
export const relaxationOptionNames = linearOptionNames("omega", "shift").filter((name) => name !== "preconditioner");

/** @internal @throws ValueError where the matrix or the options are left out. */
export function requireSystem(owner: string, a: sparse.SparseMatrix, options: RelaxationSettings): void {
  requireObject(owner, "a", a, "a sparse matrix");
  requireObject(owner, "options", options, "{ omega }");
}

/** Iterations of one call of a kernel, after which progress is told and the signal is looked at. */
const LONGEST = 10000;
const SHORTEST = 16;
/** Entries that such a call passes over at most, unless `SHORTEST` is more: about a hundredth of a second. */
const ENTRIES = 4e6;

/** @internal A sparse system as the kernels of relaxation and conjugate gradients take it. */
export class RelaxationSystem extends LinearSystem {
  readonly matrix: RelaxationMatrix;
  private readonly longest: number;

  constructor(
    owner: string,
    a: sparse.SparseMatrix,
    b: sparse.VectorLike,
    options: RelaxationSettings,
    mostIterations: number,
  ) {
    const { omega, shift = 0 } = options;
    if (!sparse.isSparseMatrix(a))
      throw new ValueError(`${owner}: A must be a sparse matrix: make one with sparse.fromDense`);
    const [rows, columns] = a.shape;
    if (rows !== columns) throw new ShapeError(`${owner}: A must be square, got [${a.shape}]`);
    if (rows === 0) throw new ValueError(`${owner}: A must not be empty`);
    if (!(omega > 0 && omega < 2)) {
      throw new ValueError(`${owner}: omega is ${omega}; relaxation converges only for 0 < omega < 2`);
    }
    if (!Number.isFinite(shift)) throw new ValueError(`${owner}: shift must be finite, got ${shift}`);
    const size = "data" in b ? b.size : b.length;
    if (size !== rows) throw new ShapeError(`${owner}: b must have length ${rows}, got ${size}`);
    const matrix = withDiagonalApart(sparse.toCsr(a), shift, owner);
    const largest = Math.max(1, maxNorm(matrix.values), maxNorm(matrix.diagonal));
    super(owner, b, options, (x) => maxNorm(x) * largest, mostIterations);
    this.matrix = matrix;
    this.longest = Math.min(LONGEST, Math.max(SHORTEST, Math.floor(ENTRIES / Math.max(1, matrix.values.length))));
  }

  /** The norm of the residual of `initial`; `measure` finds it where that is not zero. */
  firstNorm(measure: (x: Float64Array) => number): number {
    return this.startsAtZero ? norm(this.b) : measure(this.initial.slice());
  }

  /** Iterations of the next call of a kernel. */
  batch(done: number): number {
    return Math.max(1, Math.min(this.longest, this.maxIterations - done));
  }
}

function withDiagonalApart(a: sparse.CsrMatrix, shift: number, owner: string): RelaxationMatrix {
  const { rows, indptr, indices, values } = a;
  checkFinite(values, `${owner}: A`);
  const at = new Int32Array(rows);
  const diagonal = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const end = indptr[i + 1];
    let p = indptr[i];
    while (p < end && indices[p] < i) p++;
    const stored = p < end && indices[p] === i;
    at[i] = p;
    diagonal[i] = (stored ? values[p] : 0) + shift;
    if (diagonal[i] === 0) {
      throw new ValueError(`${owner}: the diagonal entry of row ${i} is zero; relaxation divides by it`);
    }
    // A shift of a diagonal that is not stored: store it.
    if (!stored) {
      const whole = sparse.add(a, sparse.identity(rows), 1, shift) as sparse.CsrMatrix;
      return withDiagonalApart(whole, 0, owner);
    }
  }
  return { indptr, at, indices, values, diagonal };
}
