import type { RunOptions, RunState } from "@offprint/solvers";
import { requireInteger, requireNonNegative, type Tensor, type TensorLike } from "@offprint/tensor-core";
import type { EqualityStatus, Evaluations } from "./options.js";

/** One iteration of a baseline. */
export interface BaselineRecord {
  /** Newton steps so far, from 1. */
  readonly iteration: number;
  /** f after it. */
  readonly objective: number;
  /** Norm of the KKT residual (grad L, c) after it. */
  readonly kkt: number;
  /** ||c|| after it. */
  readonly infeasibility: number;
  /** The penalty of the merit function. */
  readonly mu: number;
  /** Iterations of GMRES. */
  readonly innerSteps: number;
  /** Of the line search: 1 is a full step. */
  readonly stepSize: number;
  /** What was added to the Hessian's diagonal. */
  readonly shift: number;
  /** Updates of the multipliers, where they are apart from the steps. */
  readonly outer?: number;
}

/** Where a baseline stands. */
export interface BaselineState {
  /** `[n]`. */
  readonly x: Tensor;
  /** `[m]`. */
  readonly multipliers: Tensor;
  /** f, the norms of the KKT residual and of c there. */
  readonly objective: number;
  /** See `objective`. */
  readonly kkt: number;
  /** See `objective`. */
  readonly infeasibility: number;
  /** The penalty. */
  readonly mu: number;
  /** What else is carried along: kappa or bT of `l1Sqp`, tau of `augmentedLagrangian`. */
  readonly accuracy: number;
  /** Newton steps. */
  readonly iteration: number;
  /** Updates of the multipliers. */
  readonly outer: number;
  /** Why it cannot go on. */
  readonly obstacle: "singularJacobian" | "inaccurate" | null;
  /** How often the problem was asked. */
  readonly evaluations: Evaluations;
  /** The last iteration. */
  readonly record: BaselineRecord | null;
}

/** Options of both baselines. */
export interface BaselineOptions extends RunOptions<BaselineRecord, RunState<BaselineState, BaselineRecord>> {
  /** `[m]` the multipliers to begin from. Default zeros. */
  readonly multipliers?: TensorLike;
  /** Converged when the norm of (grad L, c) is at most this, >= 0 (default 1e-4). */
  readonly tolerance?: number;
  /** Newton steps at most, an integer >= 0 (default 1e4). */
  readonly maxIterations?: number;
}

/** What a baseline gives. */
export interface BaselineResult<X> {
  /** The last point. */
  readonly x: X;
  /** `[m]` the multipliers. */
  readonly multipliers: Tensor;
  /** f there. */
  readonly objective: number;
  /** Norm of the KKT residual (grad L, c). */
  readonly kkt: number;
  /** Norm of c. */
  readonly infeasibility: number;
  /** How it ended. */
  readonly status: EqualityStatus;
  /** Newton steps, those of resumed runs included. */
  readonly iterations: number;
  /** Updates of the multipliers, where they are apart from the steps; else 0. */
  readonly outerIterations: number;
  /** One record for each Newton step. */
  readonly history: readonly BaselineRecord[];
  /** How often the problem was asked. */
  readonly evaluations: Evaluations;
  /** What a further run resumes from. */
  readonly state: RunState<BaselineState, BaselineRecord>;
}

/** @internal */
export const baselineOptionNames = ["multipliers", "tolerance", "maxIterations"];

/** @internal What both read. */
export function readBaseline(owner: string, { tolerance = 1e-4, maxIterations = 1e4 }: BaselineOptions) {
  requireNonNegative(owner, "tolerance", tolerance);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  return { tolerance, maxIterations };
}
