import { ValueError } from "@offprint/tensor-core";
import { readNorms, readSteps, requireDistance, requirePositiveNorms, requireSameLength } from "./argument-checks.js";
import { suffixSums } from "./suffix-sums.js";

/**
 * Step sizes of SGD whose last iterate is the weighted average of a learner's: `eta_t = w_t w_{t+1:T} / w_{1:T}`
 * (part C; theorem of the conversion). The last one is 0.
 *
 * @param weights - `w`, `[T]`, >= 0 and not all 0.
 * @returns `[T]`
 * @throws ValueError for weights that are not.
 */
export function weightedStepSizes(weights: ArrayLike<number>): Float64Array {
  const w = readSteps("weightedStepSizes", "weights", weights, true);
  const tails = suffixSums(w);
  if (tails[0] === 0) throw new ValueError("weightedStepSizes: all weights are 0; give at least one above");
  return w.map((value, t) => (t + 1 < w.length ? (value * tails[t + 1]) / tails[0] : 0));
}

/**
 * What weighted SGD guarantees of its last iterate: `(D^2 + sum w_t^2 G_t^2) / (2 sum w_t)`.
 *
 * @param weights - `[T]`, >= 0 and not all 0; their scale is that of the step size.
 * @param norms - `G_t`, `[T]`.
 * @param distance - `D`, from the first iterate to a minimiser.
 * @throws ShapeError where the lengths differ; ValueError.
 */
export function weightedBound(weights: ArrayLike<number>, norms: ArrayLike<number>, distance: number): number {
  const w = readSteps("weightedBound", "weights", weights, true);
  const g = readNorms("weightedBound", norms);
  requireSameLength("weightedBound", "weights", w, g);
  requireDistance("weightedBound", distance);
  let [squares, sum] = [0, 0];
  for (let t = 0; t < w.length; t++) {
    squares += (w[t] * g[t]) ** 2;
    sum += w[t];
  }
  if (sum === 0) throw new ValueError("weightedBound: all weights are 0; give at least one above");
  return (distance ** 2 + squares) / (2 * sum);
}

/** The best weights for known gradient norms. */
export interface OptimalWeights {
  /** `w_t = D G_t^-2 / sqrt(sum_p G_p^-2)`, `[T]`. */
  readonly weights: Float64Array;
  /** Step sizes of SGD that belong to them, absolute, `[T]`. */
  readonly stepSizes: Float64Array;
  /** The least bound, `D / sqrt(sum_p G_p^-2)`. */
  readonly bound: number;
}

/**
 * The weights that minimise `weightedBound` (part C), with the step sizes and the bound that belong to them.
 *
 * @param norms - `G_t > 0`, `[T]`.
 * @param distance - `D > 0`, from the first iterate to a minimiser.
 * @throws ValueError for norms that are negative, not finite or 0, and for D out of range.
 */
export function optimalWeights(norms: ArrayLike<number>, distance: number): OptimalWeights {
  const g = readNorms("optimalWeights", norms);
  requirePositiveNorms("optimalWeights", g);
  requireDistance("optimalWeights", distance);
  const least = g.reduce((a, b) => Math.min(a, b));
  // In units of the least norm, so that no square of a norm overflows.
  const inverse = g.map((value) => (value / least) ** -2);
  const root = Math.sqrt(suffixSums(inverse)[0]);
  const weights = inverse.map((value) => ((distance / least) * value) / root);
  return { weights, stepSizes: weightedStepSizes(weights), bound: (distance * least) / root };
}
