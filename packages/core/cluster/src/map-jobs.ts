import { AbortedError, checkOptions, requireFunction, requireInteger, ValueError } from "@offprint/tensor-core";
import { decodeFrame, encodeFrame } from "@offprint/tensor-core/internal";
import { platform } from "#platform";
import { requireDelay, requireFlag, requireSignal } from "./arguments.js";
import { Ending } from "./ending.js";
import { revivedError } from "./errors.js";
import type { JobEntry } from "./job.js";
import { type MapOptions, mapOptionNames, type Outcome } from "./outcome.js";
import type { Settled } from "./threads/thread-pool.js";

/** A job that is to be run somewhere. */
export interface Call {
  readonly id: string;
  readonly args: Uint8Array<ArrayBuffer>;
  readonly seed: string;
  readonly signal: AbortSignal;
  readonly onProgress: (frame: Uint8Array) => void;
}

/** What runs the jobs of one `map`. */
export interface Runner {
  /** Runs a job. @throws AbortedError when its signal fires */
  run(call: Call): Promise<Settled>;
  /** Called when nothing of this `map` runs any more. */
  end(): Promise<void>;
}

/** What a kind of cluster has for `map`. */
export interface Executor {
  /** Jobs that can run at once, as far as is known now. */
  capacity(): number;
  /** Opens a run. @throws JobRefusedError where the job is not known */
  open(options: MapOptions): Promise<{ readonly entry: JobEntry; readonly runner: Runner }>;
}

/** @throws ValueError for what is no list, and options that there are not, or that are out of range */
export function checkMap(list: unknown, options: MapOptions): void {
  const owner = "cluster.map";
  const { [Symbol.iterator]: iterator, [Symbol.asyncIterator]: asyncIterator } = Object(list ?? {});
  if (typeof list !== "object" || (iterator ?? asyncIterator) === undefined) {
    throw new ValueError(
      `${owner}: the list of arguments is ${typeof list}; give an array, or what gives them one by one`,
    );
  }
  checkOptions(owner, options, mapOptionNames);
  const { id, inFlight, retries, timeout, exclusive = false, signal, onProgress } = options;
  if (id !== undefined && (typeof id !== "string" || id === "")) {
    throw new ValueError(`${owner}: id is ${JSON.stringify(id)}; give the run's name, a text`);
  }
  if (inFlight !== undefined) requireInteger(owner, "inFlight", inFlight, 1);
  if (retries !== undefined) requireInteger(owner, "retries", retries, 0);
  if (timeout !== undefined) requireDelay(owner, "timeout", timeout);
  requireFlag(owner, "exclusive", exclusive);
  requireSignal(owner, signal);
  if (onProgress !== undefined) requireFunction(owner, "onProgress", onProgress);
}

/** The id of a job: equal jobs have equal ids, and equal chance. */
export function jobId({ job, version }: JobEntry, args: Uint8Array, seed: string): Promise<string> {
  return platform.digest([new TextEncoder().encode(JSON.stringify([job, version, seed])), args]);
}

async function* asAsync<A>(list: Iterable<A> | AsyncIterable<A>): AsyncIterator<A> {
  yield* list;
}

/** Runs jobs and gives their outcomes as they come, with so many under way that all workers have something to do. */
export async function* mapJobs<A, R>(
  executor: Executor,
  list: Iterable<A> | AsyncIterable<A>,
  options: MapOptions,
): AsyncGenerator<Outcome<R>, void, undefined> {
  const { signal, onProgress, inFlight, seed = 0 } = options;
  const { entry, runner } = await executor.open(options);
  const ending = new Ending();
  let wake = () => {};
  let failure: { readonly error: unknown } | undefined;
  const onAbort = () => {
    ending.end();
    wake();
  };
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });

  const run = async (index: number, args: A): Promise<Outcome<R>> => {
    const frame = encodeFrame(args, "cluster");
    const id = await jobId(entry, frame, String(seed));
    const tell = (progress: Uint8Array) => {
      if (onProgress === undefined || failure !== undefined) return;
      const value = decodeFrame(progress);
      try {
        onProgress({ index, id, value });
      } catch (error) {
        // Its caller hears of it, not whatever has brought the message.
        failure = { error };
        wake();
      }
    };
    const settled = await ending.during((own) =>
      runner.run({ id, args: frame, seed: `${seed}/${id}`, signal: own, onProgress: tell }),
    );
    const { worker, attempts } = settled;
    if (settled.error !== undefined) return { index, id, worker, attempts, error: revivedError(settled.error) };
    return { index, id, worker, attempts, value: decodeFrame<R>(settled.frame!) };
  };

  const source = asAsync(list);
  const running = new Map<number, Promise<unknown>>();
  const ready: Outcome<R>[] = [];
  let started = 0;
  let exhausted = false;
  let asking = false;
  const room = () => running.size + ready.length < (inFlight ?? 2 * executor.capacity());
  const start = (args: A) => {
    const index = started++;
    const work = run(index, args).then(
      (outcome) => void ready.push(outcome),
      (error: unknown) => {
        if (!(error instanceof AbortedError && ending.ended)) failure ??= { error };
      },
    );
    const settled = work.finally(() => {
      running.delete(index);
      wake();
    });
    running.set(index, settled);
  };
  const ask = () => {
    asking = true;
    const next = source.next().then(
      ({ done, value }) => {
        if (done) exhausted = true;
        else if (!ending.ended) start(value);
      },
      (error: unknown) => {
        failure ??= { error };
      },
    );
    void next.finally(() => {
      asking = false;
      wake();
    });
  };
  try {
    while (!ending.ended) {
      if (failure !== undefined) throw failure.error;
      const outcome = ready.shift();
      if (outcome !== undefined) {
        yield outcome;
        continue;
      }
      if (!exhausted && !asking && room()) ask();
      if (exhausted && running.size === 0) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    ending.end();
    signal?.removeEventListener("abort", onAbort);
    await Promise.allSettled(running.values());
    // An endless list that waits for something is left behind, not waited for.
    if (!exhausted) void source.return?.().catch(() => undefined);
    await runner.end();
  }
}
