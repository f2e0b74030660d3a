import type { Schedule } from "@offprint/optim";
import { cast, clip, requireNonNegative, sub, take, tensor } from "@offprint/tensor-core";
import { readSteps } from "./argument-checks.js";

/**
 * Multipliers as a schedule for the optimizers of `@offprint/optim`: `peak * multipliers[step - 1]`, the last one kept
 * after the end. It is traceable.
 *
 * @param multipliers - `[T]`, >= 0.
 * @param peak - The learning rate that they multiply, >= 0.
 * @throws ValueError
 * @example
 * ```ts
 * import { sgd } from "@offprint/optim";
 * import { multiplierSchedule, schedules } from "@offprint/refined-schedules";
 *
 * sgd({ learningRate: multiplierSchedule(schedules.linear(1000), 0.1) });
 * ```
 */
export function multiplierSchedule(multipliers: ArrayLike<number>, peak: number): Schedule {
  const values = readSteps("multiplierSchedule", "multipliers", multipliers, true);
  requireNonNegative("multiplierSchedule", "peak", peak);
  const rates = tensor(values.map((value) => value * peak));
  const last = values.length - 1;
  return (step) => cast(take(rates, clip(cast(sub(step, 1), "int32"), 0, last)), step.dtype);
}
