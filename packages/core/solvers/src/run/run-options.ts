import { requireObject } from "@offprint/tensor-core";

/** Where a run puts its state from time to time. */
export interface Checkpoint<S> {
  /** Iterations, steps or epochs between two states. Default 1. */
  readonly every?: number;
  /** Gets a state that later iterations do not change; awaited. */
  readonly save: (state: S) => unknown;
}

/**
 * What every long run takes.
 * @typeParam R - the record of an iteration: what `onProgress` gets and `history` keeps
 * @typeParam S - the state that a run goes on from
 */
export interface RunOptions<R, S> {
  /** Called with the record of an iteration, and awaited; `"stop"`, or a promise of it, ends the run. */
  readonly onProgress?: (record: R) => unknown;
  /** Ends the run with status `"aborted"` and its state; nothing is thrown. */
  readonly signal?: AbortSignal;
  /** Keeps states to go on from. */
  readonly checkpoint?: Checkpoint<S>;
  /** State of an earlier run: it goes on as if it had not been interrupted, bit for bit. */
  readonly resume?: S;
}

/** The names of {@link RunOptions}, for `checkOptions`. */
export const runOptionNames = ["onProgress", "signal", "checkpoint", "resume"] as const;

/** The {@link RunOptions} among the options of a function, for the run inside it. */
export function runOptionsOf<R, S, T = S>(options: Omit<RunOptions<R, S>, "resume"> & { readonly resume?: T }) {
  requireObject("runOptionsOf", "options", options, "RunOptions");
  const { onProgress, signal, checkpoint, resume } = options;
  return {
    ...(onProgress !== undefined && { onProgress }),
    ...(signal !== undefined && { signal }),
    ...(checkpoint !== undefined && { checkpoint }),
    ...(resume !== undefined && { resume }),
  };
}

/** A run as it can be saved (`tree.toJson`) and gone on from. */
export interface RunState<S, R> {
  /** Iterations done, those of earlier runs included. */
  readonly iterations: number;
  /** Their records. */
  readonly history: readonly R[];
  /** What the method itself goes on from. */
  readonly inner: S;
}
