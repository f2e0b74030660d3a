import { requireInteger, requireNonNegative, requireObject } from "@offprint/tensor-core";
import type { KrylovSpectrum } from "./krylov.js";

/**
 * Damping of a second-order method by linear shrinkage: of what a batch's Hessian does to a probe beyond scaling it,
 * `d = |H z - (z'H z) z|^2`, noise explains `v = Gamma / B`. The part `a = max(0, 1 - v / d)` is believed, and
 * `delta = (1 - a) / a z'H z`; all of the largest curvature where nothing is.
 *
 * @param spectrum - from the probe.
 * @param gamma - isotropic `Gamma`, >= 0.
 * @param batch - samples of the batch, an integer >= 1.
 * @param largest - the damping where everything is noise.
 * @throws ValueError for numbers out of range.
 */
export function shrinkageDamping(
  pick: Pick<KrylovSpectrum, "mean" | "firstResidual">,
  gamma: number,
  batch: number,
  largest: number,
): number {
  requireObject("shrinkageDamping", "pick", pick, "{ mean, firstResidual }");
  const { mean, firstResidual } = pick;
  requireNonNegative("shrinkageDamping", "gamma", gamma);
  requireInteger("shrinkageDamping", "batch", batch, 1);
  const believed = firstResidual === 0 ? (gamma === 0 ? 1 : 0) : Math.max(0, 1 - gamma / batch / firstResidual ** 2);
  if (believed === 0) return largest;
  return Math.max(0, ((1 - believed) / believed) * mean);
}
