import { add, checkOptions, mul, requireDecayRate, ValueError } from "@offprint/tensor-core";
import { descend, type ElementwiseState, elementwiseOptimizer } from "./elementwise.js";
import type { Schedule } from "./schedules.js";
import type { GradientTransformation } from "./transformation.js";

/** Options of `sgd`. */
export interface SgdOptions {
  /** alpha >= 0. Default 1e-2. */
  learningRate?: number | Schedule;
  /** mu in [0, 1): the part of the last velocity that is kept. Default 0. */
  momentum?: number;
  /** Step along the gradient that momentum is about to lead to. Needs momentum > 0. Default false. */
  nesterov?: boolean;
  /** lambda >= 0 of an L2 penalty, added to the gradient. Default 0. */
  weightDecay?: number;
}

/** The state of `sgd`; `velocity` is there with momentum only. */
export type SgdState = ElementwiseState<"velocity">;

/**
 * Gradient descent, with momentum `u = mu u + g; params -= alpha u` (no dampening) where asked for.
 * @throws ValueError for an option out of range.
 */
export function sgd(options: SgdOptions = {}): GradientTransformation<SgdState> {
  checkOptions("sgd", options, ["learningRate", "momentum", "nesterov", "weightDecay"]);
  const { learningRate = 1e-2, momentum = 0, nesterov = false, weightDecay = 0 } = options;
  requireDecayRate("sgd", "momentum", momentum);
  if (nesterov && momentum === 0) {
    throw new ValueError("sgd: nesterov is on and momentum is 0; give a momentum above 0, such as 0.9");
  }
  if (momentum === 0) {
    const plain = elementwiseOptimizer<never>(
      {
        name: "sgd",
        slots: [],
        formula: (g, _, context) => ({ update: descend(g, context), slots: {} }),
      },
      { learningRate, weightDecay },
    );
    return plain as GradientTransformation as GradientTransformation<SgdState>;
  }
  return elementwiseOptimizer(
    {
      name: "sgd",
      slots: ["velocity"],
      formula(g, slots, context) {
        const velocity = add(mul(slots.velocity, momentum), g);
        const direction = nesterov ? add(g, mul(velocity, momentum)) : velocity;
        return { update: descend(direction, context), slots: { velocity } };
      },
    },
    { learningRate, weightDecay },
  );
}
