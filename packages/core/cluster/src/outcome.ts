import type { OffprintError } from "@offprint/tensor-core";

/** Options of `cluster.map`. */
export interface MapOptions {
  /**
   * Name of the run, through NATS: a program that is started again with the same name gets the results that are there,
   * for a week, and runs the rest. Default a new one.
   */
  readonly id?: string;
  /** Jobs that are under way or whose outcomes wait to be looked at; default twice the number of workers. */
  readonly inFlight?: number;
  /** Times that a job is tried again when it throws. A lost worker does not count. Default 0. */
  readonly retries?: number;
  /** Longest time of one attempt, in milliseconds; default none. */
  readonly timeout?: number;
  /** Whether each job has its machine for itself, as what reads the clock needs. Default false. */
  readonly exclusive?: boolean;
  /** Seed of `context.rng`. Default 0. */
  readonly seed?: number | string;
  /** Ends the iteration and what is running; nothing is thrown. */
  readonly signal?: AbortSignal;
  /** Told what jobs report by `context.progress`. */
  readonly onProgress?: (progress: JobProgress) => void;
}

/** The names of {@link MapOptions}, for `checkOptions`. */
export const mapOptionNames = [
  "id",
  "inFlight",
  "retries",
  "timeout",
  "exclusive",
  "seed",
  "signal",
  "onProgress",
] as const;

/** What a job says while it runs. */
export interface JobProgress {
  /** Place of its arguments in the list. */
  readonly index: number;
  /** The job's id. */
  readonly id: string;
  /** What it says. */
  readonly value: unknown;
}

/** How a job ended. */
export type Outcome<R> = {
  /** Place of its arguments in the list. */
  readonly index: number;
  /** Hash of the job, its version, its arguments and the seed. */
  readonly id: string;
  /** The worker that ran it. */
  readonly worker: string;
  /** Times that it was begun. */
  readonly attempts: number;
} & ({ readonly value: R; readonly error?: undefined } | { readonly error: OffprintError; readonly value?: undefined });
