import { checkOptions, requireChoice, requireInteger, requireNonNegative, requireObject } from "@offprint/tensor-core";
import { closeRound, type WaitOut } from "./close-round.js";
import { checkDelays, type Delays } from "./delays.js";
import { DecodeError } from "./errors.js";
import { type RoundKinds, roundKinds } from "./round-grid.js";
import { begin, decodable, jobOf, recordRound, roundsOf, type Scheme, workOf } from "./scheme.js";

/** How time passes. */
export interface RoundTiming {
  /** mu: who takes more than (1 + mu) times as long as the first one is slow. Default 1. */
  readonly mu?: number;
  /** Whom to wait for when the slow ones would be too many. Default `"minimal"`. */
  readonly waitOut?: WaitOut;
  /** alpha: time of a full gradient on one worker, beside what `delays` says. Default 0. */
  readonly alpha?: number;
  /** Work in full gradients that is in `delays` already, as in a recorded profile. Default 0. */
  readonly profileLoad?: number;
}

/** Options of `simulate`. */
export interface SimulateOptions extends RoundTiming {
  /** J. */
  readonly jobs: number;
}

/** What a run would be. */
export interface Simulation {
  /** Time of all rounds, in the unit of `delays`. */
  readonly total: number;
  /** Time of each. */
  readonly durations: Float64Array;
  /** Rounds that had to wait for slow workers. */
  readonly waits: number;
  /** Who straggled in each round. */
  readonly stragglers: readonly (readonly number[])[];
  /** What each worker did in each round. */
  readonly grid: readonly RoundKinds[];
}

const optionNames = ["jobs", "mu", "waitOut", "alpha", "profileLoad"] as const;

/** Checks {@link RoundTiming}. @throws ValueError */
export function checkTiming(owner: string, { mu = 1, waitOut, alpha = 0, profileLoad = 0 }: RoundTiming): void {
  requireNonNegative(owner, "mu", mu);
  requireChoice(owner, "waitOut", waitOut, ["minimal", "all"]);
  requireNonNegative(owner, "alpha", alpha);
  requireNonNegative(owner, "profileLoad", profileLoad);
}

/**
 * Runs a scheme on a matrix of delays without computing anything: how long it takes, who straggles. A worker's time is
 * `delay + alpha (work - profileLoad)`.
 *
 * @param delays `[n][J + T]` or more rounds
 * @throws ShapeError for too few workers or rounds; ValueError for options out of range
 * @example
 * const { total, waits } = simulate(mSgc({ workers: 64, burst: 2, window: 3, lambda: 9 }), delays, { jobs: 100, alpha: 16 });
 */
export function simulate(scheme: Scheme, delays: Delays, options: SimulateOptions): Simulation {
  requireObject("simulate", "scheme", scheme, "a Scheme");
  requireObject("simulate", "delays", delays, "an array");
  checkOptions("simulate", options, optionNames, ["jobs"]);
  checkTiming("simulate", options);
  const { jobs, mu = 1, waitOut = "minimal", alpha = 0, profileLoad = 0 } = options;
  requireInteger("simulate", "jobs", jobs, 1);
  const rounds = roundsOf(scheme, jobs);
  checkDelays("simulate", delays, scheme.workers, rounds);
  const durations = new Float64Array(rounds);
  const stragglers: number[][] = [];
  const grid: RoundKinds[] = [];
  let waits = 0;
  let state = begin(jobs);
  for (let r = 0; r < rounds; r++) {
    const assigned = scheme.assign(state);
    const times = workOf(scheme, assigned).map((work, i) =>
      work > 0 ? Math.max(0, delays[i][r] + alpha * (work - profileLoad)) : -1,
    );
    const closing = closeRound(times, mu, scheme.admits(state, assigned), waitOut);
    durations[r] = closing.duration;
    stragglers.push(closing.stragglers);
    grid.push(roundKinds(scheme, r, assigned, closing));
    if (closing.waitedFor.length > 0) waits += 1;
    state = recordRound(scheme, state, assigned, closing.stragglers);
    const due = r - scheme.delay;
    if (due >= 0 && !decodable(scheme, jobOf(scheme, state, due))) {
      throw new DecodeError(`simulate: job ${due} of ${scheme.name} is not finished after round ${r}`);
    }
  }
  return { total: durations.reduce((sum, each) => sum + each, 0), durations, waits, stragglers, grid };
}
