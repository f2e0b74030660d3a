import { type BilevelRunOptions, checkBilevelOptions, type Rate } from "@offprint/bilevel";
import type { Tensor } from "@offprint/tensor-core";
import { requireChoice, requireDecayRate, requireInteger, requirePositive, ValueError } from "@offprint/tensor-core";
import { checkEpochSettings, type EpochPoint, type EpochSettings } from "./epoch-sgd.js";

/** How the lower variables are made ready before the first iteration. */
export type Refinement =
  | ({ /** With the paper's guarantee. */ readonly method: "epochSgd" } & EpochSettings)
  | {
      /** Plain stochastic descent, as in the authors' code. */
      readonly method: "sgd";
      /** Number of steps. */
      readonly steps: number;
      /** Default `lowerStepSize`. */
      readonly stepSize?: number;
    };

/** What BO-REP keeps beside x and y. */
export interface BoRepKept {
  /** The estimate of `H^-1 grad_y F`, `[dy]`. */
  readonly z: Tensor;
  /** The running mean of the hypergradients, `[dx]`. */
  readonly m: Tensor;
  /** The x at which the norm of m was smallest (0 does not count), that norm, and the iteration; null before the first. */
  readonly best: { readonly x: Tensor; readonly norm: number; readonly iteration: number } | null;
  /** Where a refinement by Epoch-SGD stands; null for another. */
  readonly refinement: EpochPoint | null;
}

/** Options of {@link boRep}. */
export interface BoRepOptions<X, Y> extends BilevelRunOptions<X, Y, BoRepKept> {
  /** eta: how far x moves in an iteration, > 0; a number, or a function of the iteration (from 1). The paper takes 1e-4 to 5e-2. */
  readonly stepLength: Rate;
  /** alpha: step of y, > 0. The paper takes 1e-3 to 5e-2. */
  readonly lowerStepSize: number;
  /** gamma: step of z, > 0. Default 0.01. */
  readonly linearStepSize?: number;
  /** beta in [0, 1): weight of the past in the mean of the hypergradients. Default 0.9. */
  readonly momentum?: number;
  /** I: iterations from one update of y to the next. Default 2. */
  readonly period?: number;
  /** N: steps of an update of y. Default 3. */
  readonly lowerSteps?: number;
  /** R: how far an update may take y. Default as far as it goes. */
  readonly radius?: number;
  /** What an update gives: the last iterate, the mean of all, or a mean that weighs later ones more. Default `last`. */
  readonly average?: "last" | "uniform" | "weighted";
  /** mu, for `average: "weighted"`: the curvature of the lower function is at least this. */
  readonly strongConvexity?: number;
  /** Whether the hypergradient sees z before its step (`jacobi`, as analysed) or after (`gaussSeidel`, as in the authors' code). Default `jacobi`. */
  readonly zOrder?: "jacobi" | "gaussSeidel";
  /** Four independent batches in an iteration, or one of each level, in one pass each. Default `independent`. */
  readonly batches?: "independent" | "shared";
  /** How y is made ready; `false` for not at all. Default 20 steps of `sgd`. */
  readonly refinement?: Refinement | false;
  /** z at first. Default zeros. */
  readonly initialZ?: Y;
  /** Whether m is normalised; `false` makes `stepLength` the factor of m, as in MA-SOBA. Default true. */
  readonly normalize?: boolean;
}

const names = [
  ...["stepLength", "lowerStepSize", "linearStepSize", "momentum", "period", "lowerSteps", "radius", "average"],
  ...["strongConvexity", "zOrder", "batches", "refinement", "initialZ", "normalize"],
];

/** The options with their defaults. */
export interface BoRepSettings {
  readonly lowerStepSize: number;
  readonly linearStepSize: number;
  readonly momentum: number;
  readonly period: number;
  readonly lowerSteps: number;
  readonly radius: number;
  readonly average: "last" | "uniform" | "weighted";
  /** rho, the weight of a new iterate in the weighted mean. */
  readonly newWeight: number;
  readonly zOrder: "jacobi" | "gaussSeidel";
  readonly batches: "independent" | "shared";
  readonly refinement: Refinement | false;
  readonly normalize: boolean;
}

/** Reads and checks the options. @throws ValueError */
export function readOptions<X, Y>(options: BoRepOptions<X, Y>): BoRepSettings {
  const owner = "boRep";
  checkBilevelOptions(owner, options, names);
  const { lowerStepSize, linearStepSize = 0.01, momentum = 0.9, period = 2, lowerSteps = 3 } = options;
  const { radius = Number.POSITIVE_INFINITY, average = "last", zOrder = "jacobi", batches = "independent" } = options;
  const { refinement = { method: "sgd", steps: 20 }, normalize = true, strongConvexity } = options;
  requirePositive(owner, "lowerStepSize", lowerStepSize);
  requirePositive(owner, "linearStepSize", linearStepSize);
  requireDecayRate(owner, "momentum", momentum);
  requireInteger(owner, "period", period, 1);
  requireInteger(owner, "lowerSteps", lowerSteps, 1);
  if (radius !== Number.POSITIVE_INFINITY) requirePositive(owner, "radius", radius);
  requireChoice(owner, "average", average, ["last", "uniform", "weighted"]);
  requireChoice(owner, "zOrder", zOrder, ["jacobi", "gaussSeidel"]);
  requireChoice(owner, "batches", batches, ["independent", "shared"]);
  requireChoice(owner, "normalize", normalize, [true, false]);
  checkRefinement(owner, refinement);
  const newWeight = average === "weighted" ? weightOf(owner, lowerStepSize, strongConvexity) : 1;
  return {
    ...{ lowerStepSize, linearStepSize, momentum, period, lowerSteps, radius, average, newWeight },
    ...{ zOrder, batches, refinement, normalize },
  };
}

/** rho = alpha mu / (2 - alpha mu). */
function weightOf(owner: string, alpha: number, mu: number | undefined): number {
  if (mu === undefined) {
    throw new ValueError(`${owner}: average is "weighted", which needs strongConvexity; give the least curvature mu`);
  }
  requirePositive(owner, "strongConvexity", mu);
  if (alpha * mu > 1) {
    throw new ValueError(`${owner}: lowerStepSize times strongConvexity is ${alpha * mu}; it must be at most 1`);
  }
  return (alpha * mu) / (2 - alpha * mu);
}

function checkRefinement(owner: string, refinement: Refinement | false): void {
  if (refinement === false) return;
  if (refinement?.method === "epochSgd") {
    checkEpochSettings(`${owner}: refinement`, refinement);
  } else if (refinement?.method === "sgd") {
    requireInteger(`${owner}: refinement`, "steps", refinement.steps, 0);
    if (refinement.stepSize !== undefined) requirePositive(`${owner}: refinement`, "stepSize", refinement.stepSize);
  } else {
    throw new ValueError(
      `${owner}: refinement is ${JSON.stringify(refinement)}; give { method: "sgd", steps }, { method: "epochSgd", ` +
        "stepSize, firstSteps, epochs } or false",
    );
  }
}
