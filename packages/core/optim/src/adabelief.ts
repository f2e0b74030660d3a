import { add, sqrt, square, sub } from "@offprint/tensor-core";
import { momentRates, normalised, runningMean, unbiased } from "./adam.js";
import { descend, type ElementwiseState, elementwiseOptimizer } from "./elementwise.js";
import type { Schedule } from "./schedules.js";
import type { GradientTransformation } from "./transformation.js";

/** Options of `adabelief`. */
export interface AdabeliefOptions {
  /** alpha >= 0. Default 1e-3. */
  learningRate?: number | Schedule;
  /** Decay rate of the mean of gradients, in [0, 1). Default 0.9. */
  beta1?: number;
  /** Decay rate of the mean of squared surprises, in [0, 1). Default 0.999. */
  beta2?: number;
  /**
   * Added to the mean of squared surprises in every update, and to its root, >= 0. Default 1e-16; with 1e-8, which some libraries have, the
   * root never falls below 3e-3 (at the default `beta2`), so that small gradients move little.
   */
  epsilon?: number;
  /** lambda >= 0 of an L2 penalty, added to the gradient. Default 0. */
  weightDecay?: number;
}

/** The state of `adabelief`. */
export type AdabeliefState = ElementwiseState<"firstMoment" | "surprise">;

/**
 * AdaBelief: Adam that divides by how far gradients lie from their running mean in place of how large they are, so that it takes long steps
 * where gradients are as expected.
 * @throws ValueError for an option out of range.
 * @see Zhuang et al., NeurIPS 2020, arXiv 2010.07468, algorithm 2.
 */
export function adabelief(options: AdabeliefOptions = {}): GradientTransformation<AdabeliefState> {
  const { beta1, beta2, epsilon } = momentRates("adabelief", options, 1e-16);
  const { learningRate = 1e-3, weightDecay = 0 } = options;
  return elementwiseOptimizer(
    {
      name: "adabelief",
      slots: ["firstMoment", "surprise"],
      formula(g, slots, context) {
        const firstMoment = runningMean(slots.firstMoment, g, beta1);
        const surprise = add(runningMean(slots.surprise, square(sub(g, firstMoment)), beta2), epsilon);
        const mHat = unbiased(firstMoment, beta1, context.step);
        const sHat = unbiased(surprise, beta2, context.step);
        const direction = normalised(mHat, sqrt(sHat), epsilon);
        return { update: descend(direction, context), slots: { firstMoment, surprise } };
      },
    },
    { learningRate, weightDecay },
  );
}
