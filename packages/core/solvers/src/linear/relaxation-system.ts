import { ShapeError, sparse, ValueError } from "@offprint/tensor-core";
import { type RelaxationMatrix, readVector } from "@offprint/tensor-core/internal";
import { checkCount, checkTolerance, IterationMonitor } from "./iteration.js";
import { checkFinite } from "./linear-operator.js";
import type { LinearSolverOptions, LinearSolverResult, LinearSolverStatus } from "./linear-solver.js";

/** Options of {@link sor} and {@link ssor}. */
export interface RelaxationOptions extends Omit<LinearSolverOptions, "preconditioner"> {
  /** Relaxation parameter, in (0, 2); 1 is Gauss-Seidel. */
  readonly omega: number;
  /** Solves `(A + shift I) x = b` (default 0), without forming that matrix. */
  readonly shift?: number;
}

/** Iterations of one call of a kernel, between which progress is told and the signal is looked at. */
const LONGEST = 10000;
const SHORTEST = 16;
/** Entries that such a call passes over at most, unless `SHORTEST` is more: about a hundredth of a second. */
const ENTRIES = 4e6;

/** @internal What relaxation and conjugate gradients preconditioned by it set up alike. */
export class RelaxationSystem {
  readonly n: number;
  readonly matrix: RelaxationMatrix;
  readonly b: Float64Array;
  readonly x: Float64Array;
  readonly relativeTolerance: number;
  readonly absoluteTolerance: number;
  /** Residual norms so far. */
  readonly history: number[] = [];
  private readonly left: number;
  private readonly longest: number;
  private readonly monitor: IterationMonitor;

  constructor(
    a: sparse.SparseMatrix,
    b: sparse.VectorLike,
    options: RelaxationOptions,
    maxIterations: number,
    solver: string,
  ) {
    const { omega, shift = 0, initial, relativeTolerance = 1e-10, absoluteTolerance = 0 } = options;
    if (!sparse.isSparseMatrix(a))
      throw new ValueError(`${solver}: A must be a sparse matrix: make one with sparse.fromDense`);
    const [rows, columns] = a.shape;
    if (rows !== columns) throw new ShapeError(`${solver}: A must be square, got [${a.shape}]`);
    if (rows === 0) throw new ValueError(`${solver}: A must not be empty`);
    if (!(omega > 0 && omega < 2)) {
      throw new ValueError(`${solver}: omega is ${omega}; relaxation converges only for 0 < omega < 2`);
    }
    if (!Number.isFinite(shift)) throw new ValueError(`${solver}: shift must be finite, got ${shift}`);
    this.n = rows;
    this.matrix = withDiagonalApart(sparse.toCsr(a), shift, solver);
    this.b = readVector(b, rows, `${solver}: b`);
    checkFinite(this.b, `${solver}: b`);
    this.x = initial === undefined ? new Float64Array(rows) : readVector(initial, rows, `${solver}: initial`).slice();
    checkFinite(this.x, `${solver}: initial`);
    checkTolerance(relativeTolerance, `${solver}: relativeTolerance`);
    checkTolerance(absoluteTolerance, `${solver}: absoluteTolerance`);
    this.relativeTolerance = relativeTolerance;
    this.absoluteTolerance = absoluteTolerance;
    this.left = options.maxIterations ?? maxIterations;
    checkCount(this.left, `${solver}: maxIterations`);
    this.monitor = new IterationMonitor(options, solver);
    const watched = options.onProgress !== undefined || options.signal !== undefined;
    this.longest = watched
      ? Math.min(LONGEST, Math.max(SHORTEST, Math.floor(ENTRIES / this.matrix.values.length)))
      : LONGEST;
  }

  /**
   * Calls `run`, a kernel that goes on for at most so many iterations and returns the norms, the one it begins with
   * first, until `run` ends before its limit, a norm is final, or all iterations are used up.
   */
  iterate(run: (limit: number) => Float64Array, final: (norm: number) => boolean): void {
    for (;;) {
      const done = Math.max(0, this.history.length - 1);
      const limit = Math.min(this.longest, this.left - done);
      const norms = run(limit);
      for (let k = this.history.length === 0 ? 0 : 1; k < norms.length; k++) {
        this.history.push(norms[k]);
        if (Number.isFinite(norms[k])) this.monitor.report(done + k, norms[k]);
      }
      const last = this.history[this.history.length - 1];
      if (norms.length <= limit || done + limit >= this.left || !Number.isFinite(last) || final(last)) return;
    }
  }

  result(status: LinearSolverStatus): LinearSolverResult {
    const history = Float64Array.from(this.history);
    const iterations = history.length - 1;
    return { x: this.x, status, iterations, residualNorm: history[iterations], history };
  }
}

function withDiagonalApart(a: sparse.CsrMatrix, shift: number, solver: string): RelaxationMatrix {
  const { rows, indptr, indices, values } = a;
  checkFinite(values, `${solver}: A`);
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
      throw new ValueError(`${solver}: the diagonal entry of row ${i} is zero; relaxation divides by it`);
    }
    // A shift of a diagonal that is not stored: store it.
    if (!stored)
      return withDiagonalApart(sparse.add(a, sparse.identity(rows), 1, shift) as sparse.CsrMatrix, 0, solver);
  }
  return { indptr, at, indices, values, diagonal };
}
