import { type RunOptions, type RunState, runOptionNames, type Status } from "@offprint/solvers";
import type { TensorLike } from "@offprint/tensor-core";
import type { BlockObjective } from "./block-objective.js";
import type { Composite } from "./separable.js";
import type { SmoothMemory } from "./smooth-state.js";

/** What is minimised: F(x) = f(x) + sum h_i(x_i). */
export interface BcdProblem {
  /** f: one of the built-in objectives, or your own. */
  readonly smooth: BlockObjective;
  /** The h_i. Default none. */
  readonly composite?: Composite;
}

/** Blocks by name. */
export type NamedBlocks =
  | "variable"
  | "order"
  | "sort"
  | "avg"
  | "hsort"
  | "havg"
  | "red-black"
  | "tree-partition"
  | "greedy-tree"
  | "random-tree";

/**
 * Where blocks come from. `"variable"`: any `blockSize` variables, chosen anew in every iteration. Fixed ones of that size:
 * `"order"` (consecutive), `"sort"` (by L_i), `"avg"` (small and large L_i in turn), `"hsort"` and `"havg"` (the same by row
 * sums of |H|), or your own. By the graph of the Hessian, of any size: `"red-black"` (no edge inside a block),
 * `"tree-partition"` (forests); `"greedy-tree"` and `"random-tree"` (a maximal forest, anew in every iteration).
 */
export type BlockChoice = NamedBlocks | readonly ArrayLike<number>[];

/**
 * Which block is next. Without the gradient: `"random"`, `"cyclic"`, `"perm"` (a fresh order for each sweep), `"lipschitz"`
 * (in proportion to L). Greedy: `"gs"` (largest gradient), `"gsl"`, `"gsd"`, `"gsq"` (largest guaranteed decrease of a step
 * with L_b, with a diagonal matrix, with H_b), `"mi"` (largest decrease there can be; fixed blocks of a quadratic), and with
 * a composite `"gs-q"`, whose blocks leave out variables that stay at their kink.
 */
export type SelectionRule = "random" | "cyclic" | "perm" | "lipschitz" | "gs" | "gsl" | "gsd" | "gsq" | "mi" | "gs-q";

/**
 * What is done with the block. Smooth: `"gradient"` (step 1 / L_b), `"diagonal"` (D^-1 with row sums D of |H_b|), `"matrix"`
 * (H_b^-1), `"newton"` (the Hessian, with a line search), `"cubic"` (the Hessian, cubic-regularised), `"message-passing"` (the
 * exact solution on a forest). Smooth or composite: `"lipschitz-approx"` (step 1 / L_b with estimates of L). Composite:
 * `"pg"` (proximal gradient), `"pn"` (proximal Newton, exact subproblem), `"tmp"` (two-metric projection).
 */
export type BlockUpdate =
  | "gradient"
  | "lipschitz-approx"
  | "diagonal"
  | "matrix"
  | "newton"
  | "cubic"
  | "message-passing"
  | "pg"
  | "pn"
  | "tmp";

/** One iteration, after its step. */
export interface BcdRecord {
  /** Iterations done, from 1. */
  readonly iteration: number;
  /** F after the step. */
  readonly objective: number;
  /** Variables in the block. */
  readonly blockSize: number;
  /** Length of the step along its direction; 0 where no step was found that decreases F. */
  readonly stepSize: number;
  /** Variables that are not zero; with bounds, that are on none. */
  readonly support: number;
  /** Largest |g_i|, or move of a proximal step, before this one: where it was computed, else NaN. */
  readonly residual: number;
}

/** What a rule of your own sees. Its arrays are the solver's own: read them, never write, and copy what is to be kept. */
export interface BcdState {
  /** Iterations done. */
  readonly iteration: number;
  /** `[n]` the point. */
  readonly x: Float64Array;
  /** F at the point. */
  readonly objective: number;
  /** The last block, empty before the first step. */
  readonly block: Int32Array;
  /** `[n]` L_i, or the present estimates of them. */
  readonly lipschitz: Float64Array;
  /** The gradient of f `[n]`. */
  gradient(): Float64Array;
  /** The record of the last iteration. */
  readonly record: BcdRecord | undefined;
}

/** Where the method stands, as a tree of its own. */
export interface BcdPoint {
  /** Iterations done. */
  readonly iteration: number;
  /** `[n]` */
  readonly x: Float64Array;
  /** sum h_i(x_i). */
  readonly composite: number;
  /** What f keeps at the point. */
  readonly smooth: SmoothMemory;
  /** `[n]` estimates of L_i, negative where they are a first guess that no step has tried; null where they are known. */
  readonly lipschitz: Float64Array | null;
  /** Iterations after which the support last changed. */
  readonly supportChangedAt: number;
  /** The last block. */
  readonly block: Int32Array;
  /** The record of the last iteration. */
  readonly record: BcdRecord | null;
}

/** Where a run of `bcd` stands, to go on from. */
export type BcdRunState = RunState<BcdPoint, BcdRecord>;

/** What is done, and until when. */
export interface BcdMethodOptions {
  /**
   * tau, variables in a block at most, from 1 to n. Default 5, or n if that is less; with `"gs-q"`, variable blocks and `"pn"`
   * or `"tmp"` 30, and then twice as many as are free (not zero, or on no bound), up to 500. Blocks from a graph have their
   * own sizes.
   */
  readonly blockSize?: number;
  /** Default `"variable"`. */
  readonly blocks?: BlockChoice;
  /**
   * A rule, or a function that gives the next block itself. Default: `"gs-q"` with a composite; `"gsd"` for variable blocks
   * and `"greedy-tree"` (which also takes `"gs"`); `"gsl"` for fixed ones; `"cyclic"` for `"red-black"` and `"tree-partition"`.
   */
  readonly rule?: SelectionRule | ((state: BcdState) => ArrayLike<number>);
  /** Norm in which gs and gsl score fixed blocks; 1 as in the authors' code. Default 2. */
  readonly norm?: 1 | 2;
  /**
   * Default: `"message-passing"` for blocks from a graph; else `"pn"` with a composite, `"matrix"` for quadratics, `"newton"`
   * where there is a Hessian, `"gradient"` where there are L_i, `"lipschitz-approx"` where there is nothing.
   */
  readonly update?: BlockUpdate;
  /** Most iterations. Default 500. */
  readonly maxIterations?: number;
  /**
   * Converged when no |g_i| exceeds this; with a composite, when no step of the proximal gradient method is longer. Rules
   * without the gradient test it once for each sweep. Default 1e-8.
   */
  readonly tolerance?: number;
  /** `[n]` the first point, inside the bounds. Default 0, or the bound nearest to 0. */
  readonly initial?: TensorLike;
  /** The least F, where it is known: converged also when F - fStar <= tolerance. */
  readonly fStar?: number;
  /** Seed of random rules: an integer or a text. Default 0. */
  readonly seed?: number | string;
  /** c in the test of line searches, F(x + d) <= F(x) + c (slope along d), in (0, 1/2). Default 1e-4. */
  readonly sufficientDecrease?: number;
  /** M_b for `cubic`: how fast the Hessian of a block changes at most, in the 2-norm. */
  readonly hessianLipschitz?: number;
  /** How gsq finds variable blocks. Default `"refined"`; `"plain"` is iterative hard thresholding as it is. */
  readonly thresholding?: "refined" | "plain";
}

/** Options of `bcd`. */
export interface BcdOptions extends BcdMethodOptions, RunOptions<BcdRecord, BcdRunState> {}

/** Names of the options of the method. */
export const methodOptionNames = [
  "blockSize",
  "blocks",
  "rule",
  "norm",
  "update",
  "maxIterations",
  "tolerance",
  "initial",
  "fStar",
  "seed",
  "sufficientDecrease",
  "hessianLipschitz",
  "thresholding",
] as const satisfies readonly (keyof BcdMethodOptions)[];

/** Names of all options. */
export const optionNames = [...methodOptionNames, ...runOptionNames];

/** Why a run ended. */
export type BcdStatus = Status;
