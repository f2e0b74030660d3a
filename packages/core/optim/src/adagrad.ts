import { add, checkOptions, requireNonNegative, sqrt, square } from "@offprint/tensor-core";
import { normalised } from "./adam.js";
import { descend, type ElementwiseState, elementwiseOptimizer } from "./elementwise.js";
import type { Schedule } from "./schedules.js";
import type { GradientTransformation } from "./transformation.js";

/** Options of `adagrad`. */
export interface AdagradOptions {
  /** alpha >= 0. Default 1e-2. */
  learningRate?: number | Schedule;
  /** Added to the root of the sum of squares, >= 0. Default 1e-10. */
  epsilon?: number;
  /** lambda >= 0 of an L2 penalty, added to the gradient. Default 0. */
  weightDecay?: number;
}

/** The state of `adagrad`. */
export type AdagradState = ElementwiseState<"sumOfSquares">;

/**
 * AdaGrad: every coordinate's rate falls with the sum of its squared gradients, `alpha g / (sqrt(s) + epsilon)`.
 * @throws ValueError for an option out of range.
 * @see Duchi, Hazan and Singer, JMLR 12, 2011.
 */
export function adagrad(options: AdagradOptions = {}): GradientTransformation<AdagradState> {
  checkOptions("adagrad", options, ["learningRate", "epsilon", "weightDecay"]);
  const { learningRate = 1e-2, epsilon = 1e-10, weightDecay = 0 } = options;
  requireNonNegative("adagrad", "epsilon", epsilon);
  return elementwiseOptimizer(
    {
      name: "adagrad",
      slots: ["sumOfSquares"],
      formula(g, slots, context) {
        const sumOfSquares = add(slots.sumOfSquares, square(g));
        const direction = normalised(g, sqrt(sumOfSquares), epsilon);
        return { update: descend(direction, context), slots: { sumOfSquares } };
      },
    },
    { learningRate, weightDecay },
  );
}
