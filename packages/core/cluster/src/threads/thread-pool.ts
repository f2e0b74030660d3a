import { AbortedError } from "@offprint/tensor-core";
import { type ErrorData, JobError, JobTimeoutError, thrownData, WorkerLostError } from "../errors.js";
import type { WorkerStatus } from "../worker-status.js";
import type { Target } from "./messages.js";
import { Thread, type ThreadSurroundings } from "./thread.js";

/** Times that a job is run again after it has lost its worker. */
export const redeliveries = 3;

/** A job to run. */
export interface PoolTask {
  readonly job: string;
  readonly target: Target;
  readonly args: Uint8Array;
  readonly seed: string;
  /** Times that it is tried again after an error of its own. */
  readonly retries: number;
  readonly timeout?: number | undefined;
  /** Whether nothing else runs here meanwhile. */
  readonly exclusive: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Told the worker whenever it is begun. */
  readonly onBegin?: ((worker: string) => void) | undefined;
  readonly onProgress?: ((frame: Uint8Array) => void) | undefined;
}

/** How a job ended. */
export interface Settled {
  /** Frame of its value, unless it failed. */
  readonly frame?: Uint8Array;
  /** Why it failed. */
  readonly error?: ErrorData;
  /** The worker that ran it last. */
  readonly worker: string;
  /** Times that it was begun. */
  readonly attempts: number;
}

interface Place {
  readonly name: string;
  thread: Thread | undefined;
  job: string | undefined;
  done: number;
  failed: number;
}

interface Waiting {
  readonly exclusive: boolean;
  give(place: Place): void;
}

/** Threads that run jobs: each place runs one at a time, and gets a new thread when its own was lost. */
export class ThreadPool {
  /** The surroundings of its threads, and of those of teams beside it. */
  readonly surroundings: ThreadSurroundings;
  private readonly places: readonly Place[];
  private readonly waiting: Waiting[] = [];
  private alone = false;
  private closed = false;

  constructor(count: number, prefix: string, surroundings: ThreadSurroundings) {
    this.surroundings = surroundings;
    this.places = Array.from({ length: count }, (_, k) => ({
      name: `${prefix}${k + 1}`,
      thread: undefined,
      job: undefined,
      done: 0,
      failed: 0,
    }));
  }

  /** Number of jobs that it can run at once. */
  get size(): number {
    return this.places.length;
  }

  /** How its places are. */
  status(host: string, versions: Readonly<Record<string, string>>): WorkerStatus[] {
    return this.places.map(({ name, job, done, failed }) => ({
      id: name,
      host,
      state: job === undefined ? "idle" : "busy",
      ...(job !== undefined && { job }),
      done,
      failed,
      heartbeat: 0,
      versions,
    }));
  }

  private dispatch(): void {
    for (;;) {
      const next = this.waiting[0];
      if (next === undefined || this.alone) return;
      const free = this.places.find(({ job }) => job === undefined);
      const quiet = this.places.every(({ job }) => job === undefined);
      if (free === undefined || (next.exclusive && !quiet)) return;
      this.waiting.shift();
      this.alone = next.exclusive;
      next.give(free);
    }
  }

  private acquire({ exclusive, job, signal }: PoolTask): Promise<Place> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        exclusive,
        give(place) {
          signal?.removeEventListener("abort", onAbort);
          place.job = job;
          resolve(place);
        },
      };
      const onAbort = () => {
        this.waiting.splice(this.waiting.indexOf(waiting), 1);
        reject(new AbortedError("the job was aborted before it began"));
        // It may have kept others waiting: one that wants the machine for itself does.
        this.dispatch();
      };
      if (signal?.aborted || this.closed) {
        reject(new AbortedError("the job was aborted before it began"));
        return;
      }
      signal?.addEventListener("abort", onAbort, { once: true });
      this.waiting.push(waiting);
      this.dispatch();
    });
  }

  private release(place: Place): void {
    place.job = undefined;
    this.alone = false;
    this.dispatch();
  }

  private threadOf(place: Place): Thread {
    if (!place.thread?.alive) place.thread = new Thread(place.name, this.surroundings);
    return place.thread;
  }

  /**
   * Runs a job, again where it throws and has retries left, or loses its thread.
   *
   * @throws AbortedError when its signal fires
   */
  async run(task: PoolTask): Promise<Settled> {
    const { target, args, seed, timeout, signal, onProgress } = task;
    const lost: string[] = [];
    let [retries, attempts] = [task.retries, 0];
    const place = await this.acquire(task);
    const worker = place.name;
    try {
      for (;;) {
        attempts += 1;
        // What is said of it is on its way before a job that may take the process down has begun.
        await task.onBegin?.(worker);
        try {
          const frame = await this.threadOf(place).ask(
            { kind: "run", target, args, seed },
            { ...(signal && { signal }), ...(timeout !== undefined && { timeout }), ...(onProgress && { onProgress }) },
          );
          place.done += 1;
          return { frame, worker, attempts };
        } catch (error) {
          if (error instanceof WorkerLostError && !this.closed) {
            lost.push(worker);
            if (lost.length <= redeliveries) continue;
          } else if (error instanceof JobError && retries-- > 0) continue;
          else if (error instanceof AbortedError || this.closed) throw error;
          place.failed += 1;
          return { error: outcomeError(error, lost), worker, attempts };
        }
      }
    } finally {
      this.release(place);
    }
  }

  /** Ends all threads. */
  close(): void {
    this.closed = true;
    for (const { thread } of this.places) thread?.terminate();
  }
}

function outcomeError(error: unknown, lost: readonly string[]): ErrorData {
  if (error instanceof WorkerLostError) {
    const message = `the job lost its worker ${lost.length} times (${lost.join(", ")}); ${error.message}`;
    return { type: "lost", message, workers: lost };
  }
  if (error instanceof JobTimeoutError) return { type: "timeout", message: error.message };
  if (error instanceof JobError) {
    return { type: "job", kind: error.kind, message: error.message, stack: error.remoteStack };
  }
  return thrownData(error);
}
