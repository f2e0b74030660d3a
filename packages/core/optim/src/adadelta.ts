import { add, checkOptions, div, mul, requireDecayRate, requirePositive, sqrt, square } from "@offprint/tensor-core";
import { runningMean } from "./adam.js";
import { descend, type ElementwiseState, elementwiseOptimizer } from "./elementwise.js";
import type { Schedule } from "./schedules.js";
import type { GradientTransformation } from "./transformation.js";

/** Options of `adadelta`. */
export interface AdadeltaOptions {
  /** alpha >= 0. Default 1. */
  learningRate?: number | Schedule;
  /** Decay rate of both running means, in [0, 1). Default 0.9; the paper's experiments use 0.95. */
  rho?: number;
  /** Added under both roots, > 0: without it the first step would be 0 and so every later one. Default 1e-6. */
  epsilon?: number;
  /** lambda >= 0 of an L2 penalty, added to the gradient. Default 0. */
  weightDecay?: number;
}

/** The state of `adadelta`. */
export type AdadeltaState = ElementwiseState<"meanSquare" | "meanSquareUpdate">;

/**
 * AdaDelta: the gradient scaled by the ratio of the sizes of past updates and past gradients.
 * @throws ValueError for an option out of range.
 * @see Zeiler, 2012, arXiv 1212.5701, algorithm 1.
 */
export function adadelta(options: AdadeltaOptions = {}): GradientTransformation<AdadeltaState> {
  checkOptions("adadelta", options, ["learningRate", "rho", "epsilon", "weightDecay"]);
  const { learningRate = 1, rho = 0.9, epsilon = 1e-6, weightDecay = 0 } = options;
  requireDecayRate("adadelta", "rho", rho);
  requirePositive("adadelta", "epsilon", epsilon);
  return elementwiseOptimizer(
    {
      name: "adadelta",
      slots: ["meanSquare", "meanSquareUpdate"],
      formula(g, slots, context) {
        const meanSquare = runningMean(slots.meanSquare, square(g), rho);
        const ratio = div(sqrt(add(slots.meanSquareUpdate, epsilon)), sqrt(add(meanSquare, epsilon)));
        const direction = mul(ratio, g);
        const meanSquareUpdate = runningMean(slots.meanSquareUpdate, square(direction), rho);
        return { update: descend(direction, context), slots: { meanSquare, meanSquareUpdate } };
      },
    },
    { learningRate, weightDecay },
  );
}
