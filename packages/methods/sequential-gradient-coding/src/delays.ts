import {
  checkOptions,
  FormatError,
  type Rng,
  requireInteger,
  requireNonNegative,
  requireObject,
  ShapeError,
  ValueError,
} from "@offprint/tensor-core";

/** How long each worker takes in each round, `delays[worker][round]`, in one unit of time. */
export type Delays = readonly ArrayLike<number>[];

/** A chain of two states for each worker: normal and slow. */
export interface GilbertElliottOptions {
  /** n. */
  readonly workers: number;
  /** Rounds. */
  readonly rounds: number;
  /** p: chance that a normal worker is slow in the next round, in [0, 1]. */
  readonly slowing: number;
  /** q: chance that a slow worker is normal in the next round, in (0, 1]; a burst takes 1 / q rounds in the mean. */
  readonly recovery: number;
}

/**
 * Who is slow when, by the Gilbert-Elliott model; begins in its stationary state, slow with p / (p + q).
 *
 * @throws ValueError for numbers out of range
 */
export function gilbertElliott(rng: Rng, options: GilbertElliottOptions): boolean[][] {
  requireObject("gilbertElliott", "rng", rng, "a generator of random.rng(seed)");
  const { workers, rounds, slowing, recovery } = options;
  const owner = "gilbertElliott";
  checkOptions(
    owner,
    options,
    ["workers", "rounds", "slowing", "recovery"],
    ["workers", "rounds", "slowing", "recovery"],
  );
  requireInteger(owner, "workers", workers, 1);
  requireInteger(owner, "rounds", rounds, 1);
  requireChance(owner, "slowing", slowing);
  requireChance(owner, "recovery", recovery);
  if (slowing + recovery === 0) throw new ValueError(`${owner}: slowing and recovery are 0; one must be positive`);
  const chances = rng.uniform([workers, rounds], { dtype: "float64" }).data();
  return Array.from({ length: workers }, (_, i) => {
    let slow = false;
    return Array.from({ length: rounds }, (_, r) => {
      const chance = chances[i * rounds + r];
      if (r === 0) slow = chance < slowing / (slowing + recovery);
      else slow = slow ? chance >= recovery : chance < slowing;
      return slow;
    });
  });
}

/** Workers that are slow with the same chance in every round, each for itself. @throws ValueError for numbers out of range */
export function bernoulli(
  rng: Rng,
  options: { readonly workers: number; readonly rounds: number; readonly slow: number },
): boolean[][] {
  requireObject("bernoulli", "rng", rng, "a generator of random.rng(seed)");
  requireObject("bernoulli", "options", options, "{ workers, rounds, slow }");
  const { workers, rounds, slow } = options;
  requireChance("bernoulli", "slow", slow);
  // Leaves either state with the chance of the other: no memory.
  return gilbertElliott(rng, { workers, rounds, slowing: slow, recovery: 1 - slow });
}

/** How long a round takes. */
export interface DelayOptions {
  /** Time of a normal round without its random part. Default 1. */
  readonly base?: number;
  /** Mean of the exponential part. Default 0.1. */
  readonly spread?: number;
  /** Factor of a slow round, drawn evenly between the two. Default [4, 8]. */
  readonly slowFactor?: readonly [number, number];
}

/**
 * Times of workers that are slow where a pattern says so: `base + spread Exp(1)`, times a slow factor.
 *
 * @throws ValueError for numbers out of range
 */
export function drawDelays(rng: Rng, pattern: readonly ArrayLike<boolean>[], options: DelayOptions = {}): number[][] {
  requireObject("drawDelays", "rng", rng, "a generator of random.rng(seed)");
  requireObject("drawDelays", "pattern", pattern, "an array");
  const owner = "drawDelays";
  checkOptions(owner, options, ["base", "spread", "slowFactor"]);
  const { base = 1, spread = 0.1, slowFactor: [least, most] = [4, 8] } = options;
  requireNonNegative(owner, "base", base);
  requireNonNegative(owner, "spread", spread);
  requireNonNegative(owner, "slowFactor", least);
  requireNonNegative(owner, "slowFactor", most);
  return pattern.map((row) => {
    const waits = rng.exponential([row.length], { dtype: "float64" }).data();
    const factors = rng.uniform([row.length], { dtype: "float64" }).data();
    return Array.from(row, (slow, r) => {
      const time = base + spread * waits[r];
      return slow ? time * (least + (most - least) * factors[r]) : time;
    });
  });
}

/** One measured time, with worker and round numbered from 0. */
export type DelayRow = readonly [worker: number, round: number, time: number];

/**
 * The matrix of measured times, in any order.
 *
 * @throws FormatError where a worker has no time for a round, or two
 */
export function delaysOf(rows: Iterable<DelayRow>): number[][] {
  requireObject("delaysOf", "rows", rows, "an array");
  const delays: number[][] = [];
  const all = [...rows];
  for (const [worker, round, time] of all) {
    requireInteger("delaysOf", "worker", worker, 0);
    requireInteger("delaysOf", "round", round, 0);
    requireNonNegative("delaysOf", "time", time);
    if (worker >= all.length) {
      throw new FormatError(
        `delaysOf: worker is ${worker} and there are ${all.length} times; number workers from 0, leaving none out`,
      );
    }
    while (delays.length <= worker) delays.push([]);
    if (delays[worker][round] !== undefined) {
      throw new FormatError(`delaysOf: worker ${worker} has two times for round ${round}; give one`);
    }
    delays[worker][round] = time;
  }
  const rounds = Math.max(0, ...delays.map((row) => row.length));
  if (all.length === 0) throw new FormatError("delaysOf: there are no times; give rows of worker, round, time");
  for (const [worker, row] of delays.entries()) {
    for (let r = 0; r < rounds; r++) {
      if (row[r] === undefined)
        throw new FormatError(
          `delaysOf: worker ${worker} has no time for round ${r}; give one, and number both from 0`,
        );
    }
  }
  return delays;
}

/** Checks delays of so many workers and rounds at least. @throws ShapeError, ValueError */
export function checkDelays(owner: string, delays: Delays, workers: number, rounds: number): void {
  if (delays.length !== workers) {
    throw new ShapeError(
      `${owner}: delays has ${delays.length} workers and the scheme ${workers}; give one row for each`,
    );
  }
  for (const [worker, row] of delays.entries()) {
    if (row.length < rounds) {
      throw new ShapeError(`${owner}: delays has ${row.length} rounds for worker ${worker}; ${rounds} are needed`);
    }
    for (let r = 0; r < rounds; r++) {
      if (!(row[r] >= 0 && row[r] < Infinity)) requireNonNegative(owner, `delays[${worker}][${r}]`, row[r]);
    }
  }
}

function requireChance(owner: string, option: string, value: number): void {
  if (typeof value === "number" && value >= 0 && value <= 1) return;
  throw new ValueError(`${owner}: ${option} is ${String(value)}; it must be a chance from 0 to 1`);
}
