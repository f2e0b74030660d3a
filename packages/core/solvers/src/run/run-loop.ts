import { checkOptions, NonFiniteError, requireInteger, requireObject, ValueError } from "@offprint/tensor-core";
import { makeBreather } from "./breather.js";
import type { RunOptions, RunState } from "./run-options.js";
import type { Status } from "./status.js";

/**
 * An iteration as data: where it begins, what a step is, when it is done. Everything else - yielding, stopping, saving,
 * resuming - is {@link runLoop}'s.
 * @typeParam S - the state; a tree, so that it can be saved
 * @typeParam R - the record of an iteration
 * @typeParam F - the words for being done, `"converged"` in general
 */
export interface Loop<S, R, F extends string = "converged"> {
  /** The public function that runs, for messages. */
  readonly owner: string;
  /** Iterations at most, those of the resumed run included. */
  readonly limit: number;
  /** The option that holds the limit, for messages. Default `"maxIterations"`. */
  readonly limitName?: string;
  /** The state before the first iteration. Not called for a resumed run. */
  readonly initial: () => S | Promise<S>;
  /** One iteration: the state after it. `iteration` counts from 1. Must not change what `state` holds. */
  readonly step: (state: S, iteration: number) => S | Promise<S>;
  /** The record of the iteration that was just made; undefined for none. */
  readonly record: (state: S, iteration: number) => R | undefined | Promise<R | undefined>;
  /** Whether it is done, asked before the first and after every iteration. Default never. */
  readonly finished?: (state: S, iteration: number) => F | undefined;
  /** Iterations that a state has behind it, where one step makes several. Default: the number of steps. */
  readonly count?: (state: S) => number;
  /** A copy for the caller that stays as it is, such as one in memory of a state on a device. Default the state. */
  readonly snapshot?: (state: S) => S | Promise<S>;
  /** Throws where a state to resume is not one of this problem. */
  readonly check?: (state: S) => void;
}

/** What {@link runLoop} gives. */
export interface RunResult<S, R, F extends string = "converged"> {
  /** How it ended. */
  readonly status: F | Exclude<Status, "converged">;
  /** Iterations done, those of the resumed run included. */
  readonly iterations: number;
  /** The records of all of them. */
  readonly history: R[];
  /** The method's own last state. */
  readonly last: S;
  /** The state to resume from. */
  readonly state: RunState<S, R>;
}

/**
 * Runs an iteration: lets the event loop have its turn about every 12 ms, looks at the signal, reports records, takes
 * `"stop"` for an answer, saves checkpoints, resumes.
 * @throws ValueError where `resume` is not a state of this run; NonFiniteError, with the last good state as its `state`,
 * where a step throws one.
 */
export async function runLoop<S, R, F extends string = "converged">(
  loop: Loop<S, R, F>,
  options: RunOptions<R, RunState<S, R>> = {},
): Promise<RunResult<S, R, F>> {
  requireObject("runLoop", "loop", loop, "a Loop");
  const { onProgress, signal, checkpoint, resume } = options;
  checkRunOptions(loop.owner, options);
  if (resume !== undefined) checkState(loop, resume);
  const { count, snapshot = (state: S) => state } = loop;
  const breather = makeBreather();
  const history: R[] = resume === undefined ? [] : [...resume.history];
  let iterations = resume?.iterations ?? 0;
  let saved = iterations;
  let inner = resume === undefined ? await loop.initial() : resume.inner;
  const state = async (): Promise<RunState<S, R>> => ({
    iterations,
    history: history.slice(),
    inner: await snapshot(inner),
  });
  const end = async (status: RunResult<S, R, F>["status"]): Promise<RunResult<S, R, F>> => {
    const kept = await state();
    return { status, iterations, history, last: kept.inner, state: kept };
  };
  for (;;) {
    const done = loop.finished?.(inner, iterations);
    if (done !== undefined) return end(done);
    if (signal?.aborted) return end("aborted");
    if (iterations >= loop.limit) return end("limit");
    let next: S | Promise<S>;
    try {
      next = loop.step(inner, iterations + 1);
      if (next instanceof Promise) next = await next;
    } catch (error) {
      if (!(error instanceof NonFiniteError)) throw error;
      const message = `${loop.owner}: iteration ${iterations + 1}: ${error.message}`;
      throw new NonFiniteError(message, { state: await state(), cause: error });
    }
    inner = next;
    iterations = count === undefined ? iterations + 1 : count(inner);
    let record = loop.record(inner, iterations);
    if (record instanceof Promise) record = await record;
    let answer: unknown;
    if (record !== undefined) {
      history.push(record);
      answer = onProgress?.(record);
      if (answer instanceof Promise) answer = await answer;
    }
    if (checkpoint !== undefined && iterations - saved >= (checkpoint.every ?? 1)) {
      saved = iterations;
      await checkpoint.save(await state());
    }
    if (answer === "stop") return end(loop.finished?.(inner, iterations) ?? "stopped");
    if (breather.due()) await breather.pause();
  }
}

/**
 * The same iteration in one go, for work that is over in a blink and for callers that cannot wait, such as rules of
 * derivatives: no signal, no checkpoints, no pause.
 */
export function runLoopSync<S, R, F extends string = "converged">(
  loop: Loop<S, R, F>,
): Omit<RunResult<S, R, F>, "status"> & { readonly status: F | "limit" } {
  requireObject("runLoopSync", "loop", loop, "a Loop");
  const now = <T>(value: T | Promise<T>): T => {
    if (value instanceof Promise)
      throw new ValueError(`${loop.owner}: a synchronous run got a promise; await the other`);
    return value;
  };
  const history: R[] = [];
  let iterations = 0;
  let inner = now(loop.initial());
  for (;;) {
    const done = loop.finished?.(inner, iterations);
    if (done !== undefined || iterations >= loop.limit) {
      return { status: done ?? "limit", iterations, history, last: inner, state: { iterations, history, inner } };
    }
    inner = now(loop.step(inner, iterations + 1));
    iterations = loop.count === undefined ? iterations + 1 : loop.count(inner);
    const record = now(loop.record(inner, iterations));
    if (record !== undefined) history.push(record);
  }
}

/**
 * Checks the options that every run takes.
 * @throws ValueError for a signal, callback or checkpoint that is not one, and for fields that a checkpoint has not.
 */
export function checkRunOptions<R, S>(owner: string, options: Omit<RunOptions<R, S>, "resume">): void {
  requireObject(owner, "options", options, "an object");
  const { onProgress, signal, checkpoint } = options;
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw new ValueError(`${owner}: onProgress must be a function of the record, got ${typeof onProgress}`);
  }
  if (signal !== undefined && typeof (signal as AbortSignal | null)?.aborted !== "boolean") {
    throw new ValueError(`${owner}: signal must be an AbortSignal; give new AbortController().signal`);
  }
  if (checkpoint === undefined) return;
  if (typeof (checkpoint as { save?: unknown } | null)?.save !== "function") {
    throw new ValueError(`${owner}: checkpoint must be { every, save }, with a function save(state)`);
  }
  checkOptions(`${owner}: checkpoint`, checkpoint, ["every", "save"]);
  const { every = 1 } = checkpoint;
  requireInteger(owner, "checkpoint.every", every, 1);
}

function checkState<S, R, F extends string>(loop: Loop<S, R, F>, state: RunState<S, R>): void {
  const wrong = whatIsWrong(state);
  if (wrong !== undefined) {
    const { owner } = loop;
    throw new ValueError(`${owner}: resume ${wrong}; give the \`state\` of a result or of a checkpoint of ${owner}`);
  }
  loop.check?.(state.inner);
}

function whatIsWrong(state: RunState<unknown, unknown> | null): string | undefined {
  if (typeof state !== "object" || state === null) return `is ${String(state)}`;
  if (!Number.isSafeInteger(state.iterations) || state.iterations < 0) return "has no number of iterations";
  if (!Array.isArray(state.history)) return "has no history";
  if (state.inner === undefined || state.inner === null) return "has nothing to go on from";
  return undefined;
}
