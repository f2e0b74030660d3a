import {
  type ElementwiseState,
  elementwiseOptimizer,
  type GradientTransformation,
  type Schedule,
} from "@offprint/optim";
import { checkOptions, requireDecayRate, requireNonNegative, ValueError } from "@offprint/tensor-core";
import { type Friction, requireFriction } from "./friction.js";
import { type DiffGradSlot, diffGradRule } from "./rule.js";

/** Options of `diffGrad`; the defaults are the paper's. */
export interface DiffGradOptions {
  /** alpha >= 0: a number, or a schedule of the update's number. Default 1e-3. */
  learningRate?: number | Schedule;
  /** Decay rate of the mean of gradients, in [0, 1). Default 0.9. */
  beta1?: number;
  /** lambda in (0, 1]: `beta1` is multiplied by it at every step, as the regret bound assumes. Default 1, no decay. */
  beta1Decay?: number;
  /** Decay rate of the mean of squared gradients, in [0, 1). Default 0.999. */
  beta2?: number;
  /** Added to the root of the mean square, >= 0. Default 1e-8. */
  epsilon?: number;
  /**
   * Where epsilon is added: to the bias-corrected root, as the paper writes (`after-correction`, the default), or to the
   * plain one, as the authors' code does (`before-correction`).
   */
  epsilonPlacement?: "after-correction" | "before-correction";
  /** lambda >= 0 of the L2 penalty `lambda |params|^2 / 2`, added to the gradient before everything else. Default 0. */
  weightDecay?: number;
  /** How the friction coefficient follows from the change of the gradient. Default `abs`, the published method. */
  friction?: Friction;
}

/** The state of `diffGrad`: the number of updates, and trees like the parameters that are zero at the start. */
export type DiffGradState = ElementwiseState<DiffGradSlot>;

const names = [
  ...["learningRate", "beta1", "beta1Decay", "beta2", "epsilon"],
  ...["epsilonPlacement", "weightDecay", "friction"],
];

/**
 * diffGrad: Adam's step times a friction coefficient per coordinate, which is near 1 where the gradient has just
 * changed and 1/2 where it has not. Works on trees of float32 or float64 tensors; pure, traceable, differentiable.
 * @throws ValueError for options that are unknown or out of range.
 * @example
 * ```ts
 * import { diffGrad } from "@offprint/diffgrad";
 * import { minimize } from "@offprint/optim";
 * import { square, sub, tensor } from "@offprint/tensor-core";
 *
 * const optimizer = diffGrad({ learningRate: 0.1 });
 * const { params } = await minimize((x) => square(sub(x, 3)), tensor(0), optimizer, { steps: 300 });
 * ```
 * @see Dubey et al., IEEE TNNLS 31(11), 2020, arXiv 1909.11015
 */
export function diffGrad(options: DiffGradOptions = {}): GradientTransformation<DiffGradState> {
  checkOptions("diffGrad", options, names);
  const { learningRate = 1e-3, beta1 = 0.9, beta1Decay = 1, beta2 = 0.999, epsilon = 1e-8 } = options;
  const { epsilonPlacement = "after-correction", weightDecay = 0, friction = "abs" } = options;
  requireDecayRate("diffGrad", "beta1", beta1);
  requireDecayRate("diffGrad", "beta2", beta2);
  requireNonNegative("diffGrad", "epsilon", epsilon);
  requireFriction(friction);
  if (!(typeof beta1Decay === "number" && beta1Decay > 0 && beta1Decay <= 1)) {
    throw new ValueError(`diffGrad: beta1Decay is ${beta1Decay}; it must be in (0, 1]`);
  }
  if (epsilonPlacement !== "after-correction" && epsilonPlacement !== "before-correction") {
    throw new ValueError(
      `diffGrad: epsilonPlacement is "${epsilonPlacement}"; it must be after-correction or before-correction`,
    );
  }
  const correctEpsilon = epsilonPlacement === "after-correction";
  const rule = diffGradRule(friction, { beta1, beta1Decay, beta2, epsilon, correctEpsilon });
  return elementwiseOptimizer(rule, { learningRate, weightDecay });
}
