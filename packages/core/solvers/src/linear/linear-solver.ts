import { type sparse, ValueError } from "@offprint/tensor-core";
import { readVector } from "@offprint/tensor-core/internal";
import { checkCount, checkTolerance, IterationMonitor, type IterationOptions } from "./iteration.js";
import { asOperator, checkFinite, type LinearOperator, type OperatorLike } from "./linear-operator.js";
import { norm } from "./vector-arithmetic.js";

/** Options of the solvers of `A x = b`. */
export interface LinearSolverOptions extends IterationOptions {
  /** Approximate inverse of `A`; symmetric positive definite for CG and MINRES. Default none. */
  readonly preconditioner?: OperatorLike;
  /** First iterate, `[n]`. Default zeros. */
  readonly initial?: sparse.VectorLike;
  /** Converged when the residual norm is at most this times the norm of `b` (default 1e-10). */
  readonly relativeTolerance?: number;
  /** Or when the residual norm is at most this (default 0). */
  readonly absoluteTolerance?: number;
  /** Most iterations (products with `A`), default `10 n`. */
  readonly maxIterations?: number;
}

/** Why a linear solver stopped; `breakdown` means that the method cannot go on (for CG: `A` is not positive definite). */
export type LinearSolverStatus = "converged" | "maxIterations" | "breakdown";

/** Result of a linear solver. */
export interface LinearSolverResult {
  /** Last iterate, `[n]`. */
  readonly x: Float64Array;
  /** Why the solver stopped. */
  readonly status: LinearSolverStatus;
  /** Iterations done. */
  readonly iterations: number;
  /** Norm of the residual by the method's own recurrence (of the preconditioned residual for MINRES). */
  readonly residualNorm: number;
  /** Residual norms, the one of the first iterate first: `[iterations + 1]`. */
  readonly history: Float64Array;
}

/** @internal What all linear solvers set up alike. */
export class LinearSystem {
  readonly n: number;
  readonly apply: LinearOperator;
  readonly precondition: LinearOperator | null;
  readonly b: Float64Array;
  readonly x: Float64Array;
  readonly maxIterations: number;
  readonly monitor: IterationMonitor;
  readonly history: Float64Array;
  /** Largest residual norm that counts as converged. */
  readonly threshold: number;

  constructor(a: OperatorLike, b: sparse.VectorLike, options: LinearSolverOptions, solver: string) {
    const { relativeTolerance = 1e-10, absoluteTolerance = 0 } = options;
    const n = "data" in b ? b.size : b.length;
    if (n === 0) throw new ValueError(`${solver}: b must not be empty`);
    this.n = n;
    this.b = readVector(b, n, `${solver}: b`);
    checkFinite(this.b, `${solver}: b`);
    this.apply = asOperator(a, n, `${solver}: A`);
    const { preconditioner, initial } = options;
    this.precondition =
      preconditioner === undefined ? null : asOperator(preconditioner, n, `${solver}: preconditioner`);
    this.x = initial === undefined ? new Float64Array(n) : readVector(initial, n, `${solver}: initial`).slice();
    checkFinite(this.x, `${solver}: initial`);
    checkTolerance(relativeTolerance, `${solver}: relativeTolerance`);
    checkTolerance(absoluteTolerance, `${solver}: absoluteTolerance`);
    this.maxIterations = options.maxIterations ?? 10 * n;
    checkCount(this.maxIterations, `${solver}: maxIterations`);
    this.monitor = new IterationMonitor(options, solver);
    this.history = new Float64Array(this.maxIterations + 1);
    this.threshold = Math.max(relativeTolerance * norm(this.b), absoluteTolerance);
  }

  /** `out = b - A x`. */
  residual(out: Float64Array): void {
    this.apply(this.x, out);
    for (let i = 0; i < this.n; i++) out[i] = this.b[i] - out[i];
  }

  result(status: LinearSolverStatus, iterations: number): LinearSolverResult {
    const history = this.history.slice(0, iterations + 1);
    return { x: this.x, status, iterations, residualNorm: history[iterations], history };
  }
}
