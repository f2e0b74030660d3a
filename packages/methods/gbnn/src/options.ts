import type { RunOptions, RunState } from "@offprint/solvers";
import { checkOptions, requireChoice, requireInteger, requireNonNegative } from "@offprint/tensor-core";
import type { SolverName } from "./block-solver.js";
import type { GbnnRecord, GbnnState } from "./boost.js";
import { activations, type HiddenActivation } from "./hidden-layer.js";
import type { BoostLoss } from "./loss.js";
import { requireThat, requireWord } from "./requirements.js";

/**
 * What is boosted, and how; the defaults are those of the authors' library, but for `learningRate`, its `eta`, which is
 * 1 there.
 */
export interface GbnnOptions {
  /** N: hidden units of the whole network, an integer >= `unitsPerStep`. floor(N / J) blocks are made. Default 200. */
  readonly totalUnits?: number;
  /** J: hidden units that a block adds, an integer >= 1. Default 1. */
  readonly unitsPerStep?: number;
  /** eta: factor of every step, >= 0. Default 0.1; at 1, the library's default, the fit is unstable. */
  readonly learningRate?: number;
  /** Fraction of the samples, in (0, 1], that a block is fitted to; its step is taken on all. Default 0.5. */
  readonly subsample?: number;
  /** Of the hidden units. Default `logistic`. */
  readonly activation?: HiddenActivation;
  /** How a block is fitted. Default `lbfgs`. */
  readonly solver?: SolverName;
  /** Most iterations of L-BFGS, or epochs of `adam` and `sgd`, per block, an integer >= 1. Default 200. */
  readonly maxIterations?: number;
  /** L-BFGS ends when no entry of the gradient is larger, >= 0. Default 0. */
  readonly gradientTolerance?: number;
  /** L2 penalty on the weights of a block, >= 0. Default 1e-4. */
  readonly alpha?: number;
  /** Whether features are brought to mean 0 and deviation 1, as measured on the training samples. Default true. */
  readonly standardize?: boolean;
  /** Takes 0 instead of a negative step. Default false, as in the authors' library. */
  readonly nonNegativeStep?: boolean;
  /** A loss of your own; it must have as many outputs as the task. Default by task. */
  readonly loss?: BoostLoss;
  /** Source of all randomness. A prefix of a longer run is the shorter run with the same seed. Default 0. */
  readonly seed?: number | string;
}

/** Options of `fitRegressor` and `fitClassifier`. A resumed run may have more `totalUnits` than the one before. */
export interface FitOptions extends GbnnOptions, RunOptions<GbnnRecord, RunState<GbnnState, GbnnRecord>> {}

/** The names of {@link GbnnOptions}. */
export const gbnnOptionNames = [
  "totalUnits",
  "unitsPerStep",
  "learningRate",
  "subsample",
  "activation",
  "solver",
  "maxIterations",
  "gradientTolerance",
  "alpha",
  "standardize",
  "nonNegativeStep",
  "loss",
  "seed",
] as const satisfies readonly (keyof GbnnOptions)[];

/** The solvers of a block. */
export const solverNames: readonly SolverName[] = ["lbfgs", "adam", "sgd"];

/** Options with their defaults. */
export interface ResolvedOptions extends Required<Omit<GbnnOptions, "loss" | "totalUnits">> {
  /** T: blocks to be made. */
  readonly blocks: number;
}

/** Checks options and fills in defaults. @param more names of further options that are known */
export function resolveOptions(caller: string, options: GbnnOptions, more: readonly string[]): ResolvedOptions {
  checkOptions(caller, options, [...gbnnOptionNames, ...more]);
  const {
    totalUnits = 200,
    unitsPerStep = 1,
    learningRate = 0.1,
    subsample = 0.5,
    activation = "logistic",
    solver = "lbfgs",
    maxIterations = 200,
    gradientTolerance = 0,
    alpha = 1e-4,
    standardize = true,
    nonNegativeStep = false,
    seed = 0,
  } = options;
  requireInteger(caller, "unitsPerStep", unitsPerStep, 1);
  requireInteger(caller, "totalUnits", totalUnits, 1);
  requireThat(
    totalUnits >= unitsPerStep,
    `${caller}: totalUnits is ${totalUnits}, less than the ${unitsPerStep} units of one block; give more, or fewer unitsPerStep`,
  );
  requireNonNegative(caller, "learningRate", learningRate);
  requireThat(
    typeof subsample === "number" && subsample > 0 && subsample <= 1,
    `${caller}: subsample is ${subsample}; it must lie in (0, 1]`,
  );
  requireChoice(caller, "standardize", standardize, [true, false]);
  requireChoice(caller, "nonNegativeStep", nonNegativeStep, [true, false]);
  requireNonNegative(caller, "alpha", alpha);
  requireNonNegative(caller, "gradientTolerance", gradientTolerance);
  requireInteger(caller, "maxIterations", maxIterations, 1);
  requireWord(caller, "activation", activation, Object.keys(activations));
  requireWord(caller, "solver", solver, solverNames);
  return {
    unitsPerStep,
    blocks: Math.floor(totalUnits / unitsPerStep),
    learningRate,
    subsample,
    activation,
    solver,
    maxIterations,
    gradientTolerance,
    alpha,
    standardize,
    nonNegativeStep,
    seed,
  };
}
