import { AbortedError } from "@offprint/tensor-core";
import { platform } from "#platform";
import { JobTimeoutError, revivedError, WorkerLostError } from "../errors.js";
import { afterPatience } from "../patience.js";
import type { ThreadHandle, ThreadSettings } from "../platform/platform.js";
import type { FromThread, Question, ToThread } from "./messages.js";

/** Time in which a job that is to end may end by itself, in milliseconds; then its thread is ended. */
const grace = 500;

/** How a question is asked. */
export interface AskOptions {
  readonly signal?: AbortSignal;
  /** Longest time, in milliseconds. */
  readonly timeout?: number;
  /** Given the frames of what the job tells. */
  readonly onProgress?: (frame: Uint8Array) => void;
}

/** What all threads of a cluster share. */
export interface ThreadSurroundings {
  readonly settings: ThreadSettings;
  /** The frame of a value that was put. */
  readonly fetch: (ref: string) => Promise<Uint8Array>;
}

interface Open {
  readonly call: number;
  readonly options: AskOptions;
  settle(error: Error | undefined, frame?: Uint8Array): void;
}

/** A thread, which answers one question after the other; whatever ends it ends nothing else. */
export class Thread {
  /** Its name. */
  readonly name: string;
  private readonly handle: ThreadHandle;
  private readonly flag: Int32Array | undefined;
  private readonly fetch: ThreadSurroundings["fetch"];
  private open: Open | undefined;
  private calls = 0;
  private ended: string | undefined;

  constructor(name: string, { settings, fetch }: ThreadSurroundings) {
    this.name = name;
    this.fetch = fetch;
    this.handle = platform.startThread(settings, {
      onMessage: (message) => this.hear(message as FromThread),
      onEnd: (reason) => this.end(reason),
    });
    const buffer = platform.sharedMemory ? new SharedArrayBuffer(4) : undefined;
    this.flag = buffer && new Int32Array(buffer);
    this.tell({ kind: "start", worker: name, ...(buffer && { flag: buffer }) });
  }

  /** Whether it can be asked. */
  get alive(): boolean {
    return this.ended === undefined;
  }

  /** Whether it has a question to answer. */
  get busy(): boolean {
    return this.open !== undefined;
  }

  private tell(message: ToThread, transfer: readonly ArrayBuffer[] = []): void {
    this.handle.post(message, transfer);
  }

  private hear(message: FromThread): void {
    if (message.kind === "need") {
      const { ref } = message;
      this.fetch(ref).then(
        (frame) => this.alive && this.tell({ kind: "ref", ref, frame }),
        (error: Error) => this.alive && this.tell({ kind: "ref", ref, problem: error.message }),
      );
      return;
    }
    const { open } = this;
    // What belongs to an earlier call is late.
    if (open === undefined || open.call !== message.call) return;
    if (message.kind === "progress") open.options.onProgress?.(message.frame);
    else if (message.kind === "value") open.settle(undefined, message.frame);
    else open.settle(revivedError(message.error));
  }

  private end(reason: string): void {
    if (this.ended !== undefined) return;
    this.ended = reason;
    this.open?.settle(new WorkerLostError(`${this.name} was lost: ${reason}`, [this.name]));
  }

  /**
   * Asks, and waits for the answer.
   *
   * @throws JobError where the job throws; WorkerLostError where the thread ends; AbortedError, JobTimeoutError
   */
  ask(question: Question, options: AskOptions = {}): Promise<Uint8Array> {
    const call = ++this.calls;
    const { signal, timeout } = options;
    return new Promise((resolve, reject) => {
      if (this.ended !== undefined) {
        reject(new WorkerLostError(`${this.name} was lost: ${this.ended}`, [this.name]));
        return;
      }
      let why: Error | undefined;
      let timer: ReturnType<typeof setTimeout> | undefined;
      let endPatience = () => {};
      const stop = (error: Error) => {
        if (why !== undefined) return;
        why = error;
        if (this.flag) Atomics.store(this.flag, 0, call);
        this.tell({ kind: "abort", call });
        endPatience = afterPatience(grace, () => this.terminate("its job did not end when it was told to"));
      };
      const onAbort = () => stop(new AbortedError("the job was aborted"));
      this.open = {
        call,
        options,
        settle: (error, frame) => {
          this.open = undefined;
          clearTimeout(timer);
          endPatience();
          signal?.removeEventListener("abort", onAbort);
          if (why ?? error) reject(why ?? error);
          else resolve(frame!);
        },
      };
      this.tell({ kind: "ask", call, question });
      if (signal?.aborted) onAbort();
      else signal?.addEventListener("abort", onAbort, { once: true });
      if (timeout !== undefined) {
        timer = setTimeout(() => stop(new JobTimeoutError(`the job took longer than ${timeout} ms`)), timeout);
      }
    });
  }

  /** Gives the member of a team that it holds what all members share. */
  share(frame: Uint8Array): void {
    if (this.alive) this.tell({ kind: "share", frame });
  }

  /** Ends it, in whatever it does. */
  terminate(reason = "it was ended"): void {
    this.handle.terminate();
    this.end(reason);
  }
}
