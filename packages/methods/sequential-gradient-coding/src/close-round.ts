import type { Admission } from "./scheme.js";

/**
 * What is done when the slow ones would be too many: wait for `"minimal"`, only as many as it takes, or for `"all"`, as
 * the authors' simulator does.
 */
export type WaitOut = "minimal" | "all";

/** How a round ends. */
export interface Closing {
  /** When. */
  readonly duration: number;
  /** Who is let go. */
  readonly stragglers: number[];
  /** Who was slow and is waited for. */
  readonly waitedFor: number[];
}

/**
 * When a round ends and who straggles in it: workers that take more than (1 + mu) times as long as the first one are let
 * go where the scheme admits it.
 *
 * @param times `[n]` of each worker; negative for those that have nothing to do
 */
export function closeRound(times: ArrayLike<number>, mu: number, admits: Admission, waitOut: WaitOut): Closing {
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  for (let i = 0; i < times.length; i++) {
    if (times[i] < 0) continue;
    first = Math.min(first, times[i]);
    last = Math.max(last, times[i]);
  }
  if (first === Number.POSITIVE_INFINITY) return { duration: 0, stragglers: [], waitedFor: [] };
  const deadline = (1 + mu) * first;
  if (last <= deadline) return { duration: last, stragglers: [], waitedFor: [] };
  const slow: number[] = [];
  for (let i = 0; i < times.length; i++) if (times[i] > deadline) slow.push(i);
  slow.sort((a, b) => times[a] - times[b]);
  let waited = 0;
  if (!admits(slow)) {
    if (waitOut === "all") waited = slow.length;
    else while (waited < slow.length && !admits(slow.slice(waited))) waited += 1;
  }
  const duration = waited > 0 ? times[slow[waited - 1]] : deadline;
  return { duration, stragglers: slow.slice(waited), waitedFor: slow.slice(0, waited) };
}
