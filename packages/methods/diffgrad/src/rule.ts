import {
  biasCorrection,
  descend,
  type ElementwiseRule,
  normalised,
  runningMean,
  type UpdateContext,
  unbiased,
} from "@offprint/optim";
import { add, exp, mul, sqrt, square, sub, type Tensor } from "@offprint/tensor-core";
import { type Friction, frictionCoefficient } from "./friction.js";

/** What diffGrad remembers of every parameter: m, v, and the gradient of the step before. */
export type DiffGradSlot = "firstMoment" | "secondMoment" | "previousGradient";

/** The numbers in the update formula. */
export interface Hyperparameters {
  readonly beta1: number;
  readonly beta1Decay: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Whether epsilon is added to the corrected root, as in the paper, or to the plain one, as in its code. */
  readonly correctEpsilon: boolean;
}

/** The diffGrad update of one tensor, section III of the paper. */
export function diffGradRule(friction: Friction, hyperparameters: Hyperparameters): ElementwiseRule<DiffGradSlot> {
  const { beta2 } = hyperparameters;
  return {
    name: "diffGrad",
    slots: ["firstMoment", "secondMoment", "previousGradient"],
    formula(g, slots, context) {
      const xi = frictionCoefficient(slots.previousGradient, g, friction);
      const m = meanOfGradients(slots.firstMoment, g, hyperparameters, context);
      const v = runningMean(slots.secondMoment, square(g), beta2);
      return {
        update: descend(mul(xi, adamDirection(m, v, hyperparameters, context)), context),
        slots: { firstMoment: m, secondMoment: v, previousGradient: g },
      };
    },
    traceable: typeof friction !== "function",
  };
}

/** `m_t = beta_{1,t} m_{t-1} + (1 - beta_{1,t}) g_t` with `beta_{1,t} = beta_1 lambda^(t-1)`. */
function meanOfGradients(m: Tensor, g: Tensor, { beta1, beta1Decay }: Hyperparameters, { step }: UpdateContext) {
  if (beta1Decay === 1) return runningMean(m, g, beta1);
  const keep = mul(exp(mul(sub(step, 1), Math.log(beta1Decay))), beta1);
  return add(mul(keep, m), mul(sub(1, keep), g));
}

/** The corrected mean over the root of the corrected mean square: what Adam steps along. */
function adamDirection(
  m: Tensor,
  v: Tensor,
  { beta1, beta2, epsilon, correctEpsilon }: Hyperparameters,
  { step }: UpdateContext,
): Tensor {
  const mHat = unbiased(m, beta1, step);
  if (correctEpsilon) return normalised(mHat, sqrt(unbiased(v, beta2, step)), epsilon);
  return mul(normalised(mHat, sqrt(v), epsilon), sqrt(biasCorrection(beta2, step)));
}
