import { ValueError } from "./errors.js";

function complain(owner: string, option: string, value: unknown, allowed: string): never {
  throw new ValueError(`${owner}: ${option} is ${shown(value)}; it must be ${allowed}`);
}

/** A text as it is written in code, so that "3" is not taken for 3. */
function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : String(value);
}

/**
 * Throws unless `value` is a finite number >= 0.
 * @throws ValueError that names `owner`, the function whose option it is, the option and the value.
 */
export function requireNonNegative(owner: string, option: string, value: number): void {
  if (typeof value !== "number" || !(value >= 0 && value < Infinity)) {
    complain(owner, option, value, "a finite number >= 0");
  }
}

/** Throws unless `value` is a finite number > 0. @throws ValueError like {@link requireNonNegative}. */
export function requirePositive(owner: string, option: string, value: number): void {
  if (typeof value !== "number" || !(value > 0 && value < Infinity)) {
    complain(owner, option, value, "a finite number > 0");
  }
}

/** Throws unless `value` lies in [0, 1), as the decay rate of a running average must. @throws ValueError */
export function requireDecayRate(owner: string, option: string, value: number): void {
  if (typeof value !== "number" || !(value >= 0 && value < 1)) complain(owner, option, value, "in [0, 1)");
}

/** Throws unless `value` is an integer from `least` to `most`. @throws ValueError like {@link requireNonNegative}. */
export function requireInteger(owner: string, option: string, value: number, least: number, most = Infinity): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  complain(owner, option, value, most === Infinity ? `an integer >= ${least}` : `an integer from ${least} to ${most}`);
}

/**
 * Throws unless an option, where it is given, is one of the words or numbers that it may be.
 * @throws ValueError like {@link requireNonNegative}.
 */
export function requireChoice(owner: string, option: string, value: unknown, choices: readonly unknown[]): void {
  if (value === undefined || choices.includes(value)) return;
  complain(owner, option, value, `one of ${choices.map(shown).join(", ")}`);
}
