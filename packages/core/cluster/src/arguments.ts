import { requirePositive, ValueError } from "@offprint/tensor-core";

/** The longest time that timers can wait, in milliseconds: 24 days. A longer one would be over at once. */
const longest = 2 ** 31 - 1;

/** @throws ValueError for what is no time of a timer, in milliseconds. */
export function requireDelay(owner: string, name: string, value: number): void {
  requirePositive(owner, name, value);
  if (value <= longest) return;
  throw new ValueError(`${owner}: ${name} is ${value}; it must be at most ${longest} ms, which is 24 days`);
}

/** @throws ValueError for what is neither true nor false. */
export function requireFlag(owner: string, name: string, value: unknown): void {
  if (typeof value === "boolean") return;
  throw new ValueError(`${owner}: ${name} is ${JSON.stringify(value)}; give true or false`);
}

/** @throws ValueError for what is neither a signal nor left out. */
export function requireSignal(owner: string, signal: unknown): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw new ValueError(`${owner}: signal is no AbortSignal; give new AbortController().signal`);
}
