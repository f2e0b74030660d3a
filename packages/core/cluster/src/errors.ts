import { OffprintError, requireObject } from "@offprint/tensor-core";

/** A job threw: its error, as far as it can travel. It is reported as a job's outcome and not tried again unless asked. */
export class JobError extends OffprintError {
  override readonly name = "JobError";
  /** Name of the error's class where the job ran. */
  readonly kind: string;
  /** Its stack where the job ran. */
  readonly remoteStack: string;

  constructor(message: string, options: { kind: string; remoteStack: string }) {
    requireObject("JobError", "options", options, "{ kind, remoteStack }");
    const { kind, remoteStack } = options;
    super(message);
    this.kind = kind;
    this.remoteStack = remoteStack;
  }
}

/** The workers that ran a job ended, time after time, without an answer: it may be the job that ends them. */
export class WorkerLostError extends OffprintError {
  override readonly name = "WorkerLostError";
  /** The workers that were lost with it, as far as they are known. */
  readonly workers: readonly string[];

  constructor(message: string, workers: readonly string[]) {
    super(message);
    this.workers = workers;
  }
}

/** A job took longer than its `timeout`. */
export class JobTimeoutError extends OffprintError {
  override readonly name = "JobTimeoutError";
}

/** A job that no package here declares, or of another version than the one that is installed here. */
export class JobRefusedError extends OffprintError {
  override readonly name = "JobRefusedError";
}

/** The server cannot be reached, refuses, or lacks what is needed. */
export class ClusterConnectionError extends OffprintError {
  override readonly name = "ClusterConnectionError";
}

/** An error as plain data. */
export interface ErrorData {
  /** Which class it becomes again. */
  readonly type: "job" | "lost" | "timeout" | "refused";
  /** What happened. */
  readonly message: string;
  /** Of a job's error: the name of its class. */
  readonly kind?: string;
  /** Of a job's error: its stack. */
  readonly stack?: string;
  /** Of a loss: the workers. */
  readonly workers?: readonly string[];
}

/** The error of a job that threw, as data. */
export function thrownData(error: unknown): ErrorData {
  if (!(error instanceof Error)) return { type: "job", kind: "thrown value", message: String(error), stack: "" };
  return { type: "job", kind: error.name, message: error.message, stack: error.stack ?? "" };
}

/** The error that data stands for. */
export function revivedError(data: ErrorData): OffprintError {
  switch (data.type) {
    case "lost":
      return new WorkerLostError(data.message, data.workers ?? []);
    case "timeout":
      return new JobTimeoutError(data.message);
    case "refused":
      return new JobRefusedError(data.message);
    default:
      return new JobError(data.message, { kind: data.kind ?? "Error", remoteStack: data.stack ?? "" });
  }
}
