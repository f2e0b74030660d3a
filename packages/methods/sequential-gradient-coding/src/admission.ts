import type { Admission, SchemeState } from "./scheme.js";
import type { ArbitraryModel, BurstyModel } from "./straggler-models.js";

/** Times that each worker straggled in the rounds from `oldest` to `newest` rounds back. */
function countRecent(n: number, { recent }: SchemeState, newest: number, oldest: number): Uint16Array {
  const counts = new Uint16Array(n);
  for (let back = newest; back <= Math.min(oldest, recent.length); back++) {
    for (const worker of recent[recent.length - back]) counts[worker] += 1;
  }
  return counts;
}

function withinUnion(seen: Uint16Array, lambda: number, barred: (worker: number) => boolean): Admission {
  const before = seen.reduce((sum, times) => sum + (times > 0 ? 1 : 0), 0);
  return (stragglers) => {
    let union = before;
    for (const worker of stragglers) {
      if (barred(worker)) return false;
      if (seen[worker] === 0) union += 1;
    }
    return union <= lambda;
  };
}

/** Stragglers with which the rounds up to now stay (B, W, lambda)-bursty. */
export function burstyAdmission(n: number, state: SchemeState, { burst, window, lambda }: BurstyModel): Admission {
  const tooLongAgo = countRecent(n, state, burst, window - 1);
  return withinUnion(countRecent(n, state, 1, window - 1), lambda, (worker) => tooLongAgo[worker] > 0);
}

/** Stragglers with which the rounds up to now stay (N, W', lambda')-arbitrary. */
export function arbitraryAdmission(
  n: number,
  state: SchemeState,
  { times, window, lambda }: ArbitraryModel,
): Admission {
  const seen = countRecent(n, state, 1, window - 1);
  return withinUnion(seen, lambda, (worker) => seen[worker] >= times);
}
