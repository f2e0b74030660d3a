import { type FitOptions, type FitResult, fit as fitKernel, type Kernel } from "@offprint/gaussian-process";
import { runOptionNames } from "@offprint/solvers";
import { checkOptions, requireChoice, type TensorLike, ValueError } from "@offprint/tensor-core";
import { type RegressOptions, regress, type ScaleMixtureProcess } from "./regression.js";
import { checkPrior, type ScalePrior } from "./scale-prior.js";
import { standardised } from "./standard-units.js";

/** Options of {@link fitByEvidence}. */
export interface EvidenceOptions
  extends Pick<
    FitOptions,
    "maxIterations" | "tolerance" | "decreaseTolerance" | "onProgress" | "signal" | "checkpoint" | "resume" | "fitNoise"
  > {
  /** H to begin from: inverse gamma (default, shape 2 and rate 2) or a known point. */
  readonly prior?: Extract<ScalePrior, { readonly kind: "inverseGamma" | "point" }>;
  /** Whether shape and rate of the prior are fitted too (default true). */
  readonly fitPrior?: boolean;
  /** Variance of the observations in units of s to begin from, > 0 (default 0.01). */
  readonly noise?: number;
  /** Whether inputs and targets are standardised first (default false). */
  readonly standardize?: boolean;
}

/** What {@link fitByEvidence} gives. */
export interface EvidenceResult
  extends Pick<FitResult, "kernel" | "noise" | "objective" | "status" | "iterations" | "history" | "state"> {
  /** The process with the fitted parameters. */
  readonly process: ScaleMixtureProcess;
  /** The prior of the scale, fitted. */
  readonly prior: ScalePrior;
  /** Log density of the observations. */
  readonly logEvidence: number;
}

/**
 * Fits all parameters - of the kernel, the noise, the prior of the scale - by the largest evidence (section 3), by L-BFGS.
 *
 * @param kernel - Where it begins.
 * @param x - `[n, d]`.
 * @param y - `[n]`.
 * @throws ShapeError, ValueError for input that does not fit.
 */
export async function fitByEvidence(
  kernel: Kernel,
  x: TensorLike,
  y: TensorLike,
  options: EvidenceOptions = {},
): Promise<EvidenceResult> {
  const owner = "fitByEvidence";
  checkOptions(owner, options, [
    ...["prior", "fitPrior", "noise", "fitNoise", "standardize", "maxIterations", "tolerance", "decreaseTolerance"],
    ...runOptionNames,
  ]);
  const {
    prior = { kind: "inverseGamma", shape: 2, rate: 2 },
    fitPrior = true,
    standardize = false,
    ...rest
  } = options;
  checkPrior(owner, prior);
  requireChoice(owner, "fitPrior", fitPrior, [true, false]);
  if (prior.kind !== "inverseGamma" && prior.kind !== "point") {
    throw new ValueError(`${owner}: prior.kind must be "inverseGamma" or "point"; fitByValidation takes any`);
  }
  const units = standardised(x, y, standardize);
  const found = await fitKernel(kernel, units.x, units.y, {
    ...rest,
    scale: prior,
    fitScale: fitPrior && prior.kind === "inverseGamma",
  });
  const { noise, objective, status, iterations, history, state } = found;
  const fitted = found.scale.kind === "density" ? prior : found.scale;
  const settings: RegressOptions = { prior: fitted, noise, standardize };
  const process = regress(found.kernel, x, y, settings);
  return {
    ...{ process, kernel: found.kernel, noise, prior: fitted, logEvidence: process.logEvidence },
    ...{ objective, status, iterations, history, state },
  };
}
