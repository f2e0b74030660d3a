import { type BilevelRecord, msvrGamma, type OracleCounts, type Rate } from "@offprint/bilevel";
import { type Figures, type RunOptions, type RunState, runOptionNames } from "@offprint/solvers";
import {
  checkOptions,
  refuseIdle,
  requireChoice,
  requireInteger,
  requirePositive,
  type Tensor,
  ValueError,
} from "@offprint/tensor-core";
import type { GivenDraw } from "./block-draws.js";
import type { DriftingState } from "./drifting-rows.js";
import type { Estimator } from "./iteration.js";

/** Where a run stands. Arrays of blocks are plain ones, row by row. */
export interface BsvrbPoint {
  /** x_t, `[dx]` */
  readonly x: Tensor;
  /** x_{t-1} */
  readonly previousX: Tensor;
  /** z, the estimate of the gradient, `[dx]`. */
  readonly z: Tensor;
  /** Its norm; null before the first iteration. */
  readonly hypergradientNorm: number | null;
  /** The iteration, from 1, that sampled each block last, `[m]`; 0 before. */
  readonly touched: Int32Array;
  /** Whether a block has estimates, `[m]`. */
  readonly known: Uint8Array;
  /** The y_i, moved along the s_i. */
  readonly y: DriftingState;
  /** The v_i, moved along the u_i; null in version 1. */
  readonly v: DriftingState | null;
  /** The H_i, `[m, d, d]`, with those of the blocks that the last iteration sampled as they were before it; null in version 2. */
  readonly hessians: HessianState | null;
  /** The derivatives evaluated so far, each on the batch of one block. */
  readonly counts: OracleCounts;
}

/** The tracked Hessians. */
export interface HessianState {
  /** `[m, d, d]` */
  readonly values: Float64Array;
  /** The blocks of the last iteration. */
  readonly lastBlocks: Int32Array;
  /** Theirs before it. */
  readonly lastValues: Float64Array;
}

/** A state to go on from; a tree. */
export type BsvrbState = RunState<BsvrbPoint, BilevelRecord>;

/** What `evaluate` gets. */
export interface BsvrbPlace<X> {
  /** The upper variables. */
  readonly x: X;
  /** The lower variables of all blocks, `[m, d]`; made when it is read. */
  readonly y: Tensor;
}

/** Options of {@link bsvrb}. */
export interface BsvrbOptions<X, U = unknown, L = U> extends RunOptions<BilevelRecord, BsvrbState> {
  /** Track Hessians (`v1`, for rows y_i of a few numbers) or products with them (`v2`). Default `v2`. */
  readonly version?: "v1" | "v2";
  /** Iterations at most. */
  readonly maxIterations: number;
  /** I: blocks that an iteration samples, 1 to m. */
  readonly sampledBlocks: number;
  /** eta: step of x, > 0; a number, or a function of the iteration (from 1). Default `lowerStepSize`. */
  readonly stepSize?: Rate;
  /** tau: step of the y_i, > 0. Default 0.5 / (max(1, gamma) L), L the largest of some drawn curvatures; of running means 0.5 I alpha / (m L). */
  readonly lowerStepSize?: Rate;
  /** tau_v: step of the v_i (`v2`), > 0. Default `lowerStepSize`. */
  readonly linearStepSize?: Rate;
  /** alpha in (0, 1]: weight of new samples in the estimates of the blocks. Default 0.5, the paper's choice; with less, drawn data need smaller steps. */
  readonly alpha?: number;
  /** beta in (0, 1]: weight of new samples in the estimate of the gradient in x. Default 0.05. */
  readonly beta?: number;
  /** gamma >= 0: weight of the change (`varianceReduced`); `"theory"` for `msvrGamma`, which makes up for iterations without the block. Default `"theory"`. */
  readonly gamma?: "theory" | number;
  /** lambda > 0: the least eigenvalue of the tracked Hessians (`v1`). Default 1e-5. */
  readonly strongConvexity?: number;
  /** V > 0: bound of the norms of the v_i (`v2`). Default none. */
  readonly linearBound?: number;
  /** Whether all y_i and v_i move in each iteration, or those of the sampled blocks alone. Default `all`. */
  readonly blockUpdates?: "all" | "sampled";
  /** Blocks are drawn independently in each iteration, or in random orders of all, one after the other. Default `uniform`. */
  readonly blockSampling?: "uniform" | "pass";
  /** First estimates for all blocks before the first iteration, or for each when it is sampled first. Default `full`. */
  readonly init?: "full" | "lazy";
  /** The paper's estimates, or running means (no changes are added) for comparison. Default `varianceReduced`. */
  readonly estimator?: Estimator;
  /** Draws of your own, without `blockSampling`: distinct blocks with their data, a function of the iteration (from 1) alone. */
  readonly draw?: (iteration: number) => GivenDraw<U, L>;
  /** Decides what is drawn. Default 0. */
  readonly seed?: number | string;
  /** Figures to record after each iteration. */
  readonly evaluate?: (place: BsvrbPlace<X>, iteration: number) => Figures;
}

const names = [
  ...["version", "maxIterations", "sampledBlocks", "stepSize", "lowerStepSize", "linearStepSize", "alpha", "beta"],
  ...["gamma", "strongConvexity", "linearBound", "blockUpdates", "blockSampling", "init", "estimator", "draw", "seed"],
  ...["evaluate", ...runOptionNames],
];

/** What belongs to the other version. */
const idleIn = { v1: ["linearBound", "linearStepSize"], v2: ["strongConvexity"] } as const;

/** The options with their defaults, but for steps and functions. */
export type BsvrbSettings = ReturnType<typeof readOptions>;

/** Reads and checks the options. @throws ValueError */
export function readOptions<X, U, L>(owner: string, options: BsvrbOptions<X, U, L>, blocks: number) {
  if (options === undefined) {
    throw new ValueError(`${owner}: options are missing; give { maxIterations, sampledBlocks, ... }`);
  }
  checkOptions(owner, options, names);
  const { maxIterations, sampledBlocks, version = "v2", alpha = 0.5, beta = 0.05, strongConvexity = 1e-5 } = options;
  const { linearBound = Number.POSITIVE_INFINITY, blockUpdates = "all", blockSampling = "uniform" } = options;
  const { init = "full", estimator = "varianceReduced", seed = 0 } = options;
  requireInteger(owner, "maxIterations", maxIterations, 0);
  requireInteger(owner, "sampledBlocks", sampledBlocks, 1, blocks);
  requireChoice(owner, "version", version, ["v1", "v2"]);
  requireChoice(owner, "blockUpdates", blockUpdates, ["all", "sampled"]);
  requireChoice(owner, "blockSampling", blockSampling, ["uniform", "pass"]);
  requireChoice(owner, "init", init, ["full", "lazy"]);
  requireChoice(owner, "estimator", estimator, ["varianceReduced", "movingAverage"]);
  requireFraction(owner, "alpha", alpha);
  requireFraction(owner, "beta", beta);
  requirePositive(owner, "strongConvexity", strongConvexity);
  if (linearBound !== Number.POSITIVE_INFINITY) requirePositive(owner, "linearBound", linearBound);
  for (const name of ["draw", "evaluate"] as const) {
    const given = options[name];
    if (given === undefined || typeof given === "function") continue;
    throw new ValueError(`${owner}: ${name} must be a function, got ${typeof given}`);
  }
  refuseIdle(owner, `version "${version}"`, options, idleIn[version]);
  if (options.draw !== undefined) refuseIdle(owner, "draw", options, ["blockSampling"]);
  const reduced = estimator === "varianceReduced";
  if (!reduced) refuseIdle(owner, `estimator "${estimator}"`, options, ["gamma"]);
  const gamma = reduced ? gammaOf(owner, options.gamma, { blocks, sampledBlocks, alpha }) : 0;
  return {
    ...{ maxIterations, sampledBlocks, version, alpha, beta, gamma, strongConvexity, linearBound, blockUpdates },
    ...{ blockSampling, init, estimator, seed },
  };
}

function gammaOf(
  owner: string,
  gamma: "theory" | number = "theory",
  { blocks, sampledBlocks, alpha }: { blocks: number; sampledBlocks: number; alpha: number },
): number {
  if (gamma === "theory") {
    if (alpha === 1 && sampledBlocks < blocks) {
      throw new ValueError(
        `${owner}: alpha is 1, where gamma of the theory is infinite; take a smaller one, or give gamma`,
      );
    }
    return msvrGamma(blocks, sampledBlocks, alpha);
  }
  if (typeof gamma === "number" && gamma >= 0 && gamma < Number.POSITIVE_INFINITY) return gamma;
  throw new ValueError(`${owner}: gamma is ${String(gamma)}; it must be "theory" or a finite number >= 0`);
}

function requireFraction(owner: string, name: string, value: number): void {
  if (typeof value === "number" && value > 0 && value <= 1) return;
  throw new ValueError(`${owner}: ${name} is ${String(value)}; it must be in (0, 1]`);
}
