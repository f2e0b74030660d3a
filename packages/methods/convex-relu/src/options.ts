import type { RunOptions, RunState, Status } from "@offprint/solvers";
import type { Tensor, TensorLike } from "@offprint/tensor-core";
import type { AdmmState } from "./admm-state.js";
import type { DualBound } from "./dual-bound.js";
import type { Loss } from "./loss.js";
import type { TwoLayerNet } from "./network.js";
import type { Patterns } from "./patterns.js";
import type { SampledState } from "./sampled-program.js";

/** An iteration, told every tenth time, after the first and after the last of a run that converges. */
export interface ConvexRecord {
  /** Iterations made, those of resumed runs included. */
  readonly iteration: number;
  /** Norm of the violated equalities, `||(u - v, G u - s)||`; for `scp` `||Phi||` times the largest change of a weight. */
  readonly primal: number;
  /** Norm of the violated optimality condition, `rho ||(v - v_old) + G^T (s - s_old)||`; for `scp` 0. */
  readonly dual: number;
  /** Objective of the programme at v, feasible or not. */
  readonly objective: number;
}

/** Where a run of `trainConvex` stands. */
export type ConvexState = RunState<AdmmState | SampledState, ConvexRecord>;

/** What all training functions of this package take. */
export interface CommonOptions {
  /** What is minimised, summed over the samples. */
  loss: Loss;
  /** Weight of `1/2 sum_j (||u_j||^2 + a_j^2)`, > 0. As losses are sums, the same effect needs a beta that grows with n. */
  beta: number;
  /** Divides the loss by the number of samples. Default false. */
  average?: boolean;
  /** Activation patterns, or how many to sample. Default: all of them where there are at most 200, else 100 sampled. */
  patterns?: Patterns | number;
  /** Whether a column of ones is appended to X. Default true. */
  bias?: boolean;
  /** Source of all randomness. Default 0. */
  seed?: number | string;
  /** Bound of both residuals, > 0; for a squared loss of targets below 1 times the largest of them. Default 1e-6. */
  tolerance?: number;
  /** Most iterations, those of resumed runs included. Default 2000. */
  maxIterations?: number;
  /** Whether the dual bound is computed. Default true. */
  certify?: boolean;
}

/** Names of the options that all training functions take, for `checkOptions`. */
export const commonOptionNames = [
  "loss",
  "beta",
  "average",
  "patterns",
  "bias",
  "seed",
  "tolerance",
  "maxIterations",
  "certify",
] as const satisfies readonly (keyof CommonOptions)[];

/** Options of `trainConvex`. */
export interface ConvexNetOptions extends CommonOptions, RunOptions<ConvexRecord, ConvexState> {
  /**
   * `admm`: exact u-update, one factorisation of order min(n, P d). `admm-rbcd`: randomised block descent, no
   * factorisation, differentiable losses. `scp`: random fixed hidden layer, a lasso for the output layer, differentiable
   * losses. Default `admm`.
   */
  method?: "admm" | "admm-rbcd" | "scp";
  /**
   * Penalty rho of ADMM, > 0, then fixed. Default `auto`: starts at 0.01 times the mean diagonal of F^T F and follows
   * the residuals.
   */
  rho?: number | "auto";
  /** Dual step g = gamma_a / rho, in (0, 1.618). Default 1. */
  dualStep?: number;
  /** Settings of `admm-rbcd`. */
  rbcd?: RbcdOptions;
  /** Settings of `scp`. */
  scp?: {
    /** Number of random neurons, >= 1. Default 500. */
    samples?: number;
    /** `[d, N]` columns of one's own instead of random ones; they are normalised. d counts the column of ones. */
    weights?: TensorLike;
  };
}

/** Settings of the inexact u-update by randomised block coordinate descent. */
export interface RbcdOptions {
  /** Patterns per step, >= 1. Default 3. */
  blockSize?: number;
  /**
   * The inner loop ends where the mean decrease of 8 steps is below this part of the zero network's loss, or a thousandth of
   * rho times the squared primal residual. Default 1e-2.
   */
  threshold?: number;
  /** Factor of the threshold from one iteration to the next, in (0, 1]. Default 0.95. */
  decay?: number;
  /** First step size, > 0. Default 1. */
  stepSize?: number;
  /** Most inner steps per iteration, >= 1. Default 2000. */
  cap?: number;
}

/** What the training functions give. */
export interface ConvexNetResult {
  /** The network recovered from v. */
  readonly net: TwoLayerNet;
  /** Objective of the convex programme at v. It may lie below the optimum by as much as v violates the constraints. */
  readonly convexObjective: number;
  /** Objective of the recovered network, loss + beta/2 sum_j (||u_j||^2 + a_j^2), which certificates are held against. */
  readonly networkObjective: number;
  /** Lower bound of the optimum, unless `certify` is false. */
  readonly dualBound?: DualBound;
  /** Certified relative gap: `networkObjective / dualBound - 1`; Infinity where the bound alone is 0, missing without one. */
  readonly gap?: number;
  /** Largest amount by which v violates (2 D_i - I) X v_i >= 0. */
  readonly maxViolation: number;
  /** v_i `[P, d]`; neurons of positive output weight. For `scp` the sampled neurons. */
  readonly V: Tensor;
  /** w_i `[P, d]`; neurons of negative output weight. */
  readonly W: Tensor;
  /** The patterns of the programme. */
  readonly patterns: Patterns;
  /** Iterations made, earlier runs that were resumed included. */
  readonly iterations: number;
  /** How the run ended. */
  readonly status: Status;
  /** Every tenth iteration, the first included. */
  readonly history: readonly ConvexRecord[];
  /** What `resume` takes. */
  readonly state: ConvexState;
}
