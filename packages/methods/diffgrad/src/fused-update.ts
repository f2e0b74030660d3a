import type { ElementwiseRule } from "@offprint/optim";
import { exponentialOfMinus } from "./exponential.js";
import type { FrictionVariant } from "./friction.js";
import type { DiffGradSlot, Hyperparameters } from "./rule.js";

/**
 * All variants are `xi = (scale n + offset (1 + e)) / (1 + e)` with `e = e^-(rate |Delta|)`, where `n` is 1, or for
 * `signed` and a rising gradient `e`. So the loop needs one division for xi and Adam's quotient together.
 */
const coefficients: Readonly<Record<FrictionVariant, { rate: number; scale: number; offset: number }>> = {
  abs: { rate: 1, scale: 1, offset: 0 },
  signed: { rate: 1, scale: 1, offset: 0 },
  wide: { rate: 1 / 2, scale: 9, offset: -4 },
  none: { rate: 0, scale: 0, offset: 1 },
};

/** The update of one tensor in one pass over its values, without temporaries; the formula is in `rule.ts`. */
export function fusedUpdate(
  variant: FrictionVariant,
  { beta1, beta1Decay, beta2, epsilon, correctEpsilon }: Hyperparameters,
): NonNullable<ElementwiseRule<DiffGradSlot>["fused"]> {
  const { rate, scale, offset } = coefficients[variant];
  const signed = variant === "signed";
  return (gradient, slots, { step, learningRate }, update, nextSlots) => {
    const { firstMoment, secondMoment, previousGradient } = slots;
    const { firstMoment: nextMean, secondMoment: nextSquare, previousGradient: nextGradient } = nextSlots;
    const keep1 = beta1 * beta1Decay ** (step - 1);
    const take1 = 1 - keep1;
    const take2 = 1 - beta2;
    const correction1 = -Math.expm1(step * Math.log(beta1));
    const rootCorrection2 = Math.sqrt(-Math.expm1(step * Math.log(beta2)));
    // With epsilon before the correction, the correction moves from the root into the step size.
    const rootScale = correctEpsilon ? 1 / rootCorrection2 : 1;
    const stepSize = (-learningRate / correction1) * (correctEpsilon ? 1 : rootCorrection2);
    for (let i = 0; i < gradient.length; i++) {
      const g = gradient[i];
      const delta = previousGradient[i] - g;
      const e = exponentialOfMinus(rate * Math.abs(delta));
      const n = signed && delta < 0 ? e : 1;
      const m = keep1 * firstMoment[i] + take1 * g;
      const v = beta2 * secondMoment[i] + take2 * g * g;
      nextGradient[i] = g;
      nextMean[i] = m;
      nextSquare[i] = v;
      const denominator = (Math.sqrt(v) * rootScale + epsilon) * (1 + e);
      update[i] = denominator === 0 ? 0 : (stepSize * m * (scale * n + offset * (1 + e))) / denominator;
    }
  };
}
