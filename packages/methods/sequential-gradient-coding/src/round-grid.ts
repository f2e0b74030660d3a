import type { Closing } from "./close-round.js";
import type { Assignment, Scheme } from "./scheme.js";

/** What the numbers of a grid of workers and rounds mean, as an array from 0. */
export const gridKinds = ["idle", "as planned", "makes up for a loss", "slow, waited for", "straggler"] as const;

/** `[n]` what each worker did in a round: places in {@link gridKinds}. */
export type RoundKinds = Uint8Array;

/** What each worker did in a round. */
export function roundKinds(
  { workers: n }: Scheme,
  round: number,
  assigned: readonly Assignment[],
  { stragglers, waitedFor }: Pick<Closing, "stragglers" | "waitedFor">,
): RoundKinds {
  const kinds = new Uint8Array(n);
  for (const { job, tasks } of assigned) {
    // As planned, a job's slot k holds task k; everything else is a repetition.
    for (let i = 0; i < n; i++) if (tasks[i] >= 0) kinds[i] = Math.max(kinds[i], tasks[i] === round - job ? 1 : 2);
  }
  for (const worker of waitedFor) kinds[worker] = 3;
  for (const worker of stragglers) kinds[worker] = 4;
  return kinds;
}
