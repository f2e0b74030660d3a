import { ValueError } from "@offprint/tensor-core";

/** How eta_t, or the learning rate of a baseline, falls with t. */
export type RateSchedule = "constant" | "exponential" | "sqrt";

/**
 * The factor of step t = 0, ..., T - 1: 1; `1 / sqrt(t + 1)`; or `(1/T)^((t+1)/T)`.
 *
 * @throws ValueError for an unknown schedule.
 */
export function scheduleFactor(schedule: RateSchedule, t: number, T: number): number {
  if (schedule === "constant") return 1;
  if (schedule === "sqrt") return 1 / Math.sqrt(t + 1);
  if (schedule === "exponential") return (1 / T) ** ((t + 1) / T);
  throw new ValueError(`there is no schedule ${String(schedule)}; take constant, sqrt or exponential`);
}
