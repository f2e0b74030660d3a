import type { Round, Team } from "@offprint/cluster";
import type { WaitOut } from "./close-round.js";
import { StragglerError } from "./errors.js";
import type { Admission } from "./scheme.js";

/** A round under way, as a {@link Patience} sees it. */
export interface RoundView {
  /** Its number, from 0. */
  readonly round: number;
  /** Resolves when so many workers have answered. */
  answered(count: number): Promise<void>;
  /** Fires when the round is over. */
  readonly signal: AbortSignal;
}

/** Resolves when those who have not answered count as slow. */
export type Patience = (round: RoundView) => Promise<void>;

/**
 * The paper's rule: who takes more than (1 + mu) times as long as the first one is slow.
 *
 * @param mu 0 or above
 */
export function relativePatience(mu = 1): Patience {
  return async ({ answered, signal }) => {
    const begun = performance.now();
    await answered(1);
    const wait = mu * (performance.now() - begun);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, wait);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  };
}

/** A round that is to be conducted. */
export interface RoundPlan<A> {
  /** Its number. */
  readonly round: number;
  /** `[n]` what each worker is asked; undefined for nothing. */
  readonly orders: readonly (A | undefined)[];
  /** What a worker is asked that was lost and is made anew, knowing nothing. */
  readonly renewed: (worker: number) => A | undefined;
  readonly admits: Admission;
  readonly waitOut: WaitOut;
  readonly patience: Patience;
  /** Whether lost workers are made anew and can be asked again. */
  readonly restart: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onAnswer: (worker: number) => void;
}

/** What a round has given. */
export interface RoundOutcome<R> {
  readonly answers: ReadonlyMap<number, R>;
  readonly stragglers: readonly number[];
  readonly waitedFor: readonly number[];
}

/** Times that a lost worker is asked again in a round. */
const askedAgain = 3;

/** The events of a round: whoever waits is woken by each. */
class Changes {
  private waiting: (() => void)[] = [];

  next(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  readonly tell = (): void => {
    const woken = this.waiting;
    this.waiting = [];
    for (const wake of woken) wake();
  };
}

/**
 * Asks all workers and waits until the round may be closed: when patience is at an end and the scheme admits the slow
 * ones as stragglers. Gives nothing where the signal fires.
 *
 * @throws StragglerError where more workers are lost than the scheme admits; whatever a worker throws
 */
export async function conductRound<A, R>(team: Team<A, R>, plan: RoundPlan<A>): Promise<RoundOutcome<R> | undefined> {
  const { admits, waitOut, signal, round } = plan;
  const orders = [...plan.orders];
  const changes = new Changes();
  const over = new AbortController();
  const rounds: Round<R>[] = [];
  const answers = new Map<number, R>();
  const missing = new Set<number>();
  const lost = new Map<number, Error>();
  let problem: unknown;
  let impatient = false;

  const fail = (error: unknown) => {
    problem ??= error;
    changes.tell();
  };
  const listen = async (asked: Round<R>) => {
    for await (const { member, value, error } of asked) {
      missing.delete(member);
      if (error === undefined) {
        answers.set(member, value);
        plan.onAnswer(member);
      } else if (error.name === "WorkerLostError") lost.set(member, error);
      else throw error;
      changes.tell();
    }
  };
  const ask = (workers: readonly number[]) => {
    const chosen = new Set(workers);
    for (const worker of workers) missing.add(worker);
    const asked = team.round((worker) => (chosen.has(worker) ? orders[worker] : undefined));
    rounds.push(asked);
    listen(asked).catch(fail);
  };
  const answered = async (count: number) => {
    while (answers.size < count && !over.signal.aborted) await changes.next();
  };
  signal?.addEventListener("abort", changes.tell);
  try {
    ask(Array.from(orders.keys()).filter((worker) => orders[worker] !== undefined));
    plan.patience({ round, answered, signal: over.signal }).then(() => {
      impatient = true;
      changes.tell();
    }, fail);
    let attempts = askedAgain;
    let slowOnes: readonly number[] | undefined;
    for (;;) {
      if (problem !== undefined) throw problem;
      if (signal?.aborted) return undefined;
      const all = missing.size === 0;
      if (all || (impatient && (slowOnes === undefined || waitOut === "minimal"))) {
        const stragglers = [...missing, ...lost.keys()].sort((a, b) => a - b);
        slowOnes ??= stragglers;
        if (admits(stragglers)) {
          return { answers, stragglers, waitedFor: slowOnes.filter((worker) => !stragglers.includes(worker)) };
        }
        if (all) {
          if (!plan.restart || attempts-- === 0) throw tooManyLost(round, stragglers, lost);
          const again = [...lost.keys()];
          lost.clear();
          for (const worker of again) orders[worker] = plan.renewed(worker);
          ask(again);
          continue;
        }
      }
      await changes.next();
    }
  } finally {
    over.abort();
    signal?.removeEventListener("abort", changes.tell);
    changes.tell();
    for (const asked of rounds) asked.close();
  }
}

function tooManyLost(round: number, workers: readonly number[], lost: ReadonlyMap<number, Error>): StragglerError {
  const message =
    `trainOnCluster: round ${round} cannot be finished without worker${workers.length > 1 ? "s" : ""} ` +
    `${workers.join(", ")}; take a scheme with more redundancy, or workers that come back`;
  return new StragglerError(message, { round, workers, cause: lost.get(workers[0]) });
}
