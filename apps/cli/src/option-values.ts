import { Failure } from "./failure.js";

/** An integer after an option. */
export function parseInteger(name: string, least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isSafeInteger(value) && value >= least) return value;
    const kind = least === Number.MIN_SAFE_INTEGER ? "an integer" : `an integer of at least ${least}`;
    throw new Failure(`--${name} must be ${kind}, got "${text}".`);
  };
}

/** A finite number after an option. */
export function parseNumber(name: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isFinite(value)) return value;
    throw new Failure(`--${name} must be a number, got "${text}".`);
  };
}
