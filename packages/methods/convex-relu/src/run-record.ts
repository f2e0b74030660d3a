import type { ConvexRecord } from "./options.js";

/** Iterations from one record to the next. */
const RECORD_EVERY = 10;

/** @internal The record of the first, every tenth and the last iteration; `objective` is computed for these alone. */
export function recordOf(
  iteration: number,
  { primal, dual }: { readonly primal: number; readonly dual: number },
  last: boolean,
  objective: () => number,
): ConvexRecord | undefined {
  if (!last && iteration !== 1 && iteration % RECORD_EVERY !== 0) return undefined;
  return { iteration, primal, dual, objective: objective() };
}
