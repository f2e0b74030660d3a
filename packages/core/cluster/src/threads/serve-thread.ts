import { random } from "@offprint/tensor-core";
import { decodeFrame, encodeFrame } from "@offprint/tensor-core/internal";
import { type ErrorData, thrownData } from "../errors.js";
import type { JobContext, Member, Ref, RoundContext } from "../job.js";
import type { OwnPort } from "../platform/platform.js";
import type { FromThread, Question, Target, ToThread } from "./messages.js";

type Callable = (args: unknown, context: JobContext) => unknown;

/** The function that a module exports, which the table of jobs has named. */
async function load({ module, name }: Target): Promise<Callable> {
  const exports = (await import(/* @vite-ignore */ module)) as Record<string, unknown>;
  const found = Object.hasOwn(exports, name) ? exports[name] : undefined;
  if (typeof found === "function") return found as Callable;
  throw new TypeError(`${module} exports no function ${name}`);
}

/** Values that were put, fetched once; the ones last used stay. */
class Refs {
  private static readonly kept = 16;
  private readonly values = new Map<string, Promise<unknown>>();
  private readonly waiting = new Map<string, { resolve(value: unknown): void; reject(error: Error): void }>();
  private readonly ask: (ref: string) => void;

  constructor(ask: (ref: string) => void) {
    this.ask = ask;
  }

  get(ref: string): Promise<unknown> {
    const known = this.values.get(ref);
    const value =
      known ??
      new Promise((resolve, reject) => {
        this.waiting.set(ref, { resolve, reject });
        this.ask(ref);
      });
    value.catch(() => this.values.delete(ref));
    this.values.delete(ref);
    this.values.set(ref, value);
    for (const oldest of this.values.keys()) {
      if (this.values.size <= Refs.kept) break;
      this.values.delete(oldest);
    }
    return value;
  }

  settle(ref: string, frame: Uint8Array | undefined, problem: string | undefined): void {
    const waiting = this.waiting.get(ref);
    this.waiting.delete(ref);
    if (frame !== undefined) waiting?.resolve(decodeFrame(frame));
    else waiting?.reject(new Error(problem ?? "the value is not there"));
  }
}

/** Serves one call after the other on the port of this thread. */
export function serveThread(port: OwnPort): void {
  const tell = (message: FromThread, transfer: readonly ArrayBuffer[] = []) => port.post(message, transfer);
  const refs = new Refs((ref) => tell({ kind: "need", ref }));
  let worker = "";
  let flag: Int32Array | undefined;
  let running: { call: number; controller: AbortController } | undefined;
  let member: Member | undefined;
  let shared: { frame: Uint8Array; value?: unknown } | undefined;

  const contextOf = (call: number, seed: string, controller: AbortController): JobContext => ({
    signal: controller.signal,
    worker,
    rng: random.rng(seed),
    aborted() {
      if (flag !== undefined && Atomics.load(flag, 0) >= call) controller.abort();
      return controller.signal.aborted;
    },
    progress: (value) => tell({ kind: "progress", call, frame: encodeFrame(value, "cluster") }),
    get: <T>({ offprintRef }: Ref) => refs.get(offprintRef) as Promise<T>,
  });

  const roundContext = (context: JobContext, round: number): RoundContext => ({
    ...context,
    round,
    shared<T>() {
      // Decoded where it is looked at: most broadcasts are replaced before anybody does.
      if (shared !== undefined && !("value" in shared)) shared.value = decodeFrame(shared.frame);
      return shared?.value as T;
    },
  });

  const answer = async (question: Question, context: JobContext): Promise<unknown> => {
    if (question.kind === "run") return (await load(question.target))(decodeFrame(question.args), context);
    if (question.kind === "join") {
      const made = await (await load(question.target))(decodeFrame(question.initial), context);
      if (typeof made !== "function") throw new TypeError("the job of a team must return the function of its rounds");
      member = made as Member;
      return undefined;
    }
    if (member === undefined) throw new Error("this thread holds no member of a team");
    return member(decodeFrame(question.args), roundContext(context, question.round));
  };

  const run = async (call: number, question: Question): Promise<void> => {
    const controller = new AbortController();
    running = { call, controller };
    let error: ErrorData | undefined;
    let frame: Uint8Array<ArrayBuffer> | undefined;
    try {
      frame = encodeFrame(await answer(question, contextOf(call, question.seed, controller)), "cluster");
    } catch (thrown) {
      error = thrownData(thrown);
    }
    running = undefined;
    if (frame !== undefined) tell({ kind: "value", call, frame }, [frame.buffer]);
    else tell({ kind: "failed", call, error: error! });
  };

  port.onMessage((received) => {
    const message = received as ToThread;
    switch (message.kind) {
      case "start":
        worker = message.worker;
        flag = message.flag && new Int32Array(message.flag);
        break;
      case "ask":
        void run(message.call, message.question);
        break;
      case "abort":
        if (running?.call === message.call) running.controller.abort();
        break;
      case "share":
        shared = { frame: message.frame };
        break;
      case "ref":
        refs.settle(message.ref, message.frame, message.problem);
        break;
    }
  });
}
