import { requireInteger, requireObject, ShapeError } from "@offprint/tensor-core";

/** Who was slow: `pattern[worker][round]`. */
export type StragglerPattern = readonly ArrayLike<boolean>[];

/** The (B, W, lambda)-bursty model. */
export interface BurstyModel {
  /** B: all straggling rounds of a worker within a window lie in so many consecutive rounds. */
  readonly burst: number;
  /** W: rounds of a window. */
  readonly window: number;
  /** lambda: different stragglers in a window at most. */
  readonly lambda: number;
}

/** The (N, W', lambda')-arbitrary model. */
export interface ArbitraryModel {
  /** N: rounds of a window in which a worker straggles, at most. */
  readonly times: number;
  /** W': rounds of a window. */
  readonly window: number;
  /** lambda': different stragglers in a window at most. */
  readonly lambda: number;
}

function roundsOf(owner: string, pattern: StragglerPattern): number {
  const rounds = pattern[0]?.length ?? 0;
  const uneven = pattern.findIndex((row) => row.length !== rounds);
  if (uneven < 0) return rounds;
  throw new ShapeError(
    `${owner}: pattern has ${rounds} rounds for worker 0 and ${pattern[uneven].length} for worker ${uneven}`,
  );
}

/** Whether every window of so many rounds is as `fits` wants the straggling rounds of its stragglers to be. */
function everyWindow(
  pattern: StragglerPattern,
  rounds: number,
  { window, lambda }: { readonly window: number; readonly lambda: number },
  fits: (straggling: readonly number[]) => boolean,
): boolean {
  // A window that is cut off at the end is part of one that is not, unless there are fewer rounds than a window has.
  for (let first = 0; first <= Math.max(0, rounds - window); first++) {
    let stragglers = 0;
    for (const row of pattern) {
      const straggling: number[] = [];
      for (let r = first; r < Math.min(rounds, first + window); r++) if (row[r]) straggling.push(r);
      if (straggling.length === 0) continue;
      stragglers += 1;
      if (stragglers > lambda || !fits(straggling)) return false;
    }
  }
  return true;
}

/**
 * Whether a pattern is (B, W, lambda)-bursty: in every window of W rounds at most lambda different workers straggle, each
 * within B consecutive rounds.
 *
 * @throws ValueError unless 1 <= B <= W and lambda >= 0; ShapeError where workers have different numbers of rounds
 */
export function isBursty(pattern: StragglerPattern, burstyModel: BurstyModel): boolean {
  requireObject("isBursty", "pattern", pattern, "an array");
  requireObject("isBursty", "burstyModel", burstyModel, "a BurstyModel");
  const { burst, window, lambda } = burstyModel;
  const owner = "isBursty";
  requireInteger(owner, "window", window, 1);
  requireInteger(owner, "burst", burst, 1, window);
  requireInteger(owner, "lambda", lambda, 0);
  const rounds = roundsOf(owner, pattern);
  const within = (straggling: readonly number[]) => straggling[straggling.length - 1] - straggling[0] < burst;
  return everyWindow(pattern, rounds, { window, lambda }, within);
}

/**
 * Whether a pattern is (N, W', lambda')-arbitrary: in every window of W' rounds at most lambda' different workers
 * straggle, each at most N times.
 *
 * @throws ValueError unless N >= 0, W' >= 1 and lambda' >= 0; ShapeError where workers have different numbers of rounds
 */
export function isArbitrary(pattern: StragglerPattern, arbitraryModel: ArbitraryModel): boolean {
  requireObject("isArbitrary", "pattern", pattern, "an array");
  requireObject("isArbitrary", "arbitraryModel", arbitraryModel, "an ArbitraryModel");
  const { times, window, lambda } = arbitraryModel;
  const owner = "isArbitrary";
  requireInteger(owner, "times", times, 0);
  requireInteger(owner, "window", window, 1);
  requireInteger(owner, "lambda", lambda, 0);
  const rounds = roundsOf(owner, pattern);
  return everyWindow(pattern, rounds, { window, lambda }, (straggling) => straggling.length <= times);
}

/** Whether at most `most` workers straggle in every round. @throws ValueError unless `most` is an integer >= 0 */
export function isPerRound(pattern: StragglerPattern, most: number): boolean {
  requireInteger("isPerRound", "most", most, 0);
  const rounds = roundsOf("isPerRound", pattern);
  return everyWindow(pattern, rounds, { window: 1, lambda: most }, () => true);
}
