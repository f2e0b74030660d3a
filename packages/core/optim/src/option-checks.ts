import { ValueError } from "@offprint/tensor-core";
import type { Schedule } from "./schedules.js";

function complain(owner: string, option: string, value: unknown, allowed: string): never {
  throw new ValueError(`${owner}: ${option} is ${String(value)}; it must be ${allowed}`);
}

/** Throws unless `value` is a finite number >= 0. */
export function requireNonNegative(owner: string, option: string, value: number): void {
  if (typeof value !== "number" || !(value >= 0 && value < Infinity)) {
    complain(owner, option, value, "a finite number >= 0");
  }
}

/** Throws unless `value` is a finite number > 0. */
export function requirePositive(owner: string, option: string, value: number): void {
  if (typeof value !== "number" || !(value > 0 && value < Infinity)) {
    complain(owner, option, value, "a finite number > 0");
  }
}

/** Throws unless `value` lies in [0, 1), as the decay rate of a running average must. */
export function requireDecayRate(owner: string, option: string, value: number): void {
  if (typeof value !== "number" || !(value >= 0 && value < 1)) complain(owner, option, value, "in [0, 1)");
}

/** Throws unless `value` is an integer >= `least`. */
export function requireInteger(owner: string, option: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) complain(owner, option, value, `an integer >= ${least}`);
}

/** Throws unless `value` is a schedule or a finite number >= 0. */
export function requireRate(owner: string, value: number | Schedule, option = "learningRate"): void {
  if (typeof value !== "function") requireNonNegative(owner, option, value);
}
