import { checkOptions, requireDecayRate, requireNonNegative, sqrt, square } from "@offprint/tensor-core";
import { normalised, runningMean } from "./adam.js";
import { descend, type ElementwiseState, elementwiseOptimizer } from "./elementwise.js";
import type { Schedule } from "./schedules.js";
import type { GradientTransformation } from "./transformation.js";

/** Options of `rmsprop`. */
export interface RmspropOptions {
  /** alpha >= 0. Default 1e-2. */
  learningRate?: number | Schedule;
  /** Decay rate of the mean of squared gradients, in [0, 1). Default 0.99. */
  rho?: number;
  /** Added to the root of the mean, >= 0. Default 1e-8. */
  epsilon?: number;
  /** lambda >= 0 of an L2 penalty, added to the gradient. Default 0. */
  weightDecay?: number;
}

/** The state of `rmsprop`. */
export type RmspropState = ElementwiseState<"meanSquare">;

/**
 * RMSProp: the gradient over the root of a running mean of its squares, `alpha g / (sqrt(s) + epsilon)`.
 * @throws ValueError for an option out of range.
 * @see Tieleman and Hinton, Neural Networks for Machine Learning, lecture 6.5, 2012.
 */
export function rmsprop(options: RmspropOptions = {}): GradientTransformation<RmspropState> {
  checkOptions("rmsprop", options, ["learningRate", "rho", "epsilon", "weightDecay"]);
  const { learningRate = 1e-2, rho = 0.99, epsilon = 1e-8, weightDecay = 0 } = options;
  requireDecayRate("rmsprop", "rho", rho);
  requireNonNegative("rmsprop", "epsilon", epsilon);
  return elementwiseOptimizer(
    {
      name: "rmsprop",
      slots: ["meanSquare"],
      formula(g, slots, context) {
        const meanSquare = runningMean(slots.meanSquare, square(g), rho);
        const direction = normalised(g, sqrt(meanSquare), epsilon);
        return { update: descend(direction, context), slots: { meanSquare } };
      },
    },
    { learningRate, weightDecay },
  );
}
