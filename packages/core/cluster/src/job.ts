import type { Rng } from "@offprint/tensor-core";

/** A value that is kept by the cluster (`cluster.put`); jobs get it by `context.get`. Plain data, so that it can be sent. */
export interface Ref {
  /** Hash of the value. */
  readonly offprintRef: string;
}

/** What a job has besides its arguments. */
export interface JobContext {
  /** Fires when the job is to end: the caller has aborted, a round was closed, or time is up. */
  readonly signal: AbortSignal;
  /** Name of the worker that runs the job. */
  readonly worker: string;
  /** Chance that depends on the job, its arguments and the seed alone, not on the worker or the attempt. */
  readonly rng: Rng;
  /** Whether the job is to end; reads shared memory, so that a loop that never yields sees it too (not in every page). */
  aborted(): boolean;
  /** Tells the caller something: plain data. */
  progress(value: unknown): void;
  /** A value that was `put`; a worker fetches it once. */
  get<T = unknown>(ref: Ref): Promise<T>;
}

/**
 * A function that a package declares as a job: `"offprint": { "jobs": { "<name>": "./jobs" } }` in its package.json, and
 * exports under that name from that entry. Arguments and result are trees of plain data, typed arrays and tensors.
 */
export type Job<A = unknown, R = unknown> = (args: A, context: JobContext) => R | Promise<R>;

/** What a member of a team has besides the arguments of a round. */
export interface RoundContext extends JobContext {
  /** Number of the round, from 0. */
  readonly round: number;
  /** What was last given to `team.broadcast`, or nothing. */
  shared<T = unknown>(): T;
}

/** Answers the rounds of a team; what it closes over is the member's state. */
export type Member<A = unknown, R = unknown> = (args: A, context: RoundContext) => R | Promise<R>;

/** A job that makes a member of a team from what the member is given at the start. */
export type TeamJob<I = unknown, A = unknown, R = unknown> = (
  initial: I,
  context: JobContext,
) => Member<A, R> | Promise<Member<A, R>>;

/**
 * A job by its name, `"@offprint/fzoos#localRound"`. Threads also take a module of the caller's own and the name of a
 * function that it exports.
 */
export type JobReference = string | { readonly module: URL | string; readonly name: string };

/** A job that can be run here. */
export interface JobEntry {
  /** Its name. */
  readonly job: string;
  /** Version of its package. */
  readonly version: string;
  /** Address of the module. */
  readonly module: string;
  /** Name under which the module exports it. */
  readonly name: string;
}

/** The jobs that can be run here, made once: messages choose from it. */
export type JobTable = ReadonlyMap<string, JobEntry>;
