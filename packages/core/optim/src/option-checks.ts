import { requireNonNegative } from "@offprint/tensor-core";
import type { Schedule } from "./schedules.js";

/** Throws unless `value` is a schedule or a finite number >= 0. */
export function requireRate(owner: string, value: number | Schedule, option = "learningRate"): void {
  if (typeof value !== "function") requireNonNegative(owner, option, value);
}
