import type { SolverName } from "./block-solver.js";
import type { HiddenActivation } from "./hidden-layer.js";
import type { BoostLoss } from "./loss.js";
import { integerAtLeast, requireThat } from "./requirements.js";

/** Options of `fitRegressor` and `fitClassifier`; the defaults are those of the authors' library, but for `eta` and `unitsPerStep`. */
export interface GbnnOptions {
  /** N: hidden units of the whole network, an integer >= `unitsPerStep`. floor(N / J) blocks are made. Default 200. */
  totalUnits?: number;
  /** J: hidden units that a block adds, an integer >= 1. Default 1. */
  unitsPerStep?: number;
  /** Factor of every step, >= 0. Default 0.1; at 1, the library's default, the fit is unstable. */
  eta?: number;
  /** Fraction of the samples, in (0, 1], that a block is fitted to; its step is taken on all. Default 0.5. */
  subsample?: number;
  /** Of the hidden units. Default `logistic`. */
  activation?: HiddenActivation;
  /** How a block is fitted. Default `lbfgs`. */
  solver?: SolverName;
  /** Most iterations of L-BFGS, or epochs of `adam` and `sgd`, per block, an integer >= 1. Default 200. */
  maxIter?: number;
  /** L-BFGS ends when no entry of the gradient is larger, >= 0. Default 0. */
  tol?: number;
  /** L2 penalty on the weights of a block, >= 0. Default 1e-4. */
  alpha?: number;
  /** Whether features are brought to mean 0 and deviation 1, as measured on the training samples. Default true. */
  standardize?: boolean;
  /** Takes 0 instead of a negative step. Default false, as in the authors' library. */
  nonNegativeStep?: boolean;
  /** A loss of your own; it must have as many outputs as the task. Default by task. */
  loss?: BoostLoss;
  /** Source of all randomness. A prefix of a longer run is the shorter run with the same seed. Default 0. */
  seed?: number;
  /** Called, and awaited, after each block. */
  onProgress?: (progress: GbnnProgress) => unknown;
  /** Ends the run before the next block; the result has the blocks so far. */
  signal?: AbortSignal;
}

/** What `onProgress` is told after a block. */
export interface GbnnProgress {
  /** Blocks made, those of a resumed model included. */
  readonly block: number;
  /** Blocks in all. */
  readonly blocks: number;
  /** Mean loss over the training samples. */
  readonly loss: number;
  /** The block's step rho. */
  readonly step: number;
}

/** Options with their defaults. */
export interface ResolvedOptions extends Required<Omit<GbnnOptions, "loss" | "onProgress" | "signal">> {
  /** T: blocks to be made. */
  readonly blocks: number;
}

/** Checks options and fills in defaults. */
export function resolveOptions(caller: string, options: GbnnOptions): ResolvedOptions {
  const {
    totalUnits = 200,
    unitsPerStep = 1,
    eta = 0.1,
    subsample = 0.5,
    activation = "logistic",
    solver = "lbfgs",
    maxIter = 200,
    tol = 0,
    alpha = 1e-4,
    standardize = true,
    nonNegativeStep = false,
    seed = 0,
  } = options;
  integerAtLeast(caller, "unitsPerStep", unitsPerStep, 1);
  integerAtLeast(caller, "totalUnits", totalUnits, 1);
  requireThat(
    totalUnits >= unitsPerStep,
    `${caller}: totalUnits is ${totalUnits}, less than the ${unitsPerStep} units of one block; give more, or fewer unitsPerStep`,
  );
  requireThat(eta >= 0 && Number.isFinite(eta), `${caller}: eta is ${eta}; it must be finite and >= 0`);
  requireThat(subsample > 0 && subsample <= 1, `${caller}: subsample is ${subsample}; it must lie in (0, 1]`);
  requireThat(alpha >= 0 && Number.isFinite(alpha), `${caller}: alpha is ${alpha}; it must be finite and >= 0`);
  requireThat(tol >= 0 && Number.isFinite(tol), `${caller}: tol is ${tol}; it must be finite and >= 0`);
  integerAtLeast(caller, "maxIter", maxIter, 1);
  const activations: readonly string[] = ["logistic", "tanh", "relu", "identity"];
  requireThat(
    activations.includes(activation),
    `${caller}: activation is ${activation}; take one of ${activations.join(", ")}`,
  );
  const solvers: readonly string[] = ["lbfgs", "adam", "sgd"];
  requireThat(solvers.includes(solver), `${caller}: solver is ${solver}; take one of ${solvers.join(", ")}`);
  const blocks = Math.floor(totalUnits / unitsPerStep);
  return {
    totalUnits: blocks * unitsPerStep,
    unitsPerStep,
    blocks,
    eta,
    subsample,
    activation,
    solver,
    maxIter,
    tol,
    alpha,
    standardize,
    nonNegativeStep,
    seed,
  };
}
