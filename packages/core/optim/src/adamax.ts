import { abs, add, maximum, mul } from "@offprint/tensor-core";
import { momentRates, normalised, runningMean, unbiased } from "./adam.js";
import { descend, type ElementwiseState, elementwiseOptimizer } from "./elementwise.js";
import type { Schedule } from "./schedules.js";
import type { GradientTransformation } from "./transformation.js";

/** Options of `adamax`. */
export interface AdamaxOptions {
  /** alpha >= 0. Default 2e-3. */
  learningRate?: number | Schedule;
  /** Decay rate of the mean of gradients, in [0, 1). Default 0.9. */
  beta1?: number;
  /** Decay rate of the largest gradient, in [0, 1). Default 0.999. */
  beta2?: number;
  /** Added to the absolute value of each gradient, >= 0. Default 1e-8. */
  epsilon?: number;
  /** lambda >= 0 of an L2 penalty, added to the gradient. Default 0. */
  weightDecay?: number;
}

/** The state of `adamax`. */
export type AdamaxState = ElementwiseState<"firstMoment" | "largest">;

/**
 * Adamax: a running mean of gradients over the largest gradient so far, which fades: Adam with the infinity norm in place of the root of
 * the mean square, so that no step is longer than the learning rate.
 * @throws ValueError for an option out of range.
 * @see Kingma and Ba, ICLR 2015, arXiv 1412.6980, algorithm 2; with an epsilon, as in common use.
 */
export function adamax(options: AdamaxOptions = {}): GradientTransformation<AdamaxState> {
  const { beta1, beta2, epsilon } = momentRates("adamax", options);
  const { learningRate = 2e-3, weightDecay = 0 } = options;
  return elementwiseOptimizer(
    {
      name: "adamax",
      slots: ["firstMoment", "largest"],
      formula(g, slots, context) {
        const firstMoment = runningMean(slots.firstMoment, g, beta1);
        const largest = maximum(mul(slots.largest, beta2), add(abs(g), epsilon));
        const mHat = unbiased(firstMoment, beta1, context.step);
        return { update: descend(normalised(mHat, largest, 0), context), slots: { firstMoment, largest } };
      },
    },
    { learningRate, weightDecay },
  );
}
