import { FormatError } from "@offprint/tensor-core";
import type { ErrorData } from "../errors.js";
import type { WorkerStatus } from "../worker-status.js";
import type { Carried } from "./streams.js";

/** A job as it waits at the server. */
export interface JobMessage {
  readonly job: string;
  readonly version: string;
  readonly run: string;
  /** The call that has queued it; a named run may have several. */
  readonly session: string;
  readonly id: string;
  readonly seed: string;
  readonly retries: number;
  readonly timeout?: number;
  readonly exclusive: boolean;
  readonly args: Carried;
}

/** A result as it is kept. */
export interface ResultMessage {
  readonly value?: Carried;
  readonly error?: ErrorData;
  readonly worker: string;
  readonly attempts: number;
}

/** What a worker tells of a run. */
export type RunEvent =
  | { readonly kind: "begun"; readonly id: string; readonly worker: string }
  | { readonly kind: "progress"; readonly id: string; readonly frame: Uint8Array };

/** A worker says how it is. */
export interface StatusMessage {
  readonly agent: string;
  readonly host: string;
  readonly workers: readonly WorkerStatus[];
  /** Members of teams that it holds. */
  readonly members: number;
  /** The version of each job that it knows. */
  readonly versions: Readonly<Record<string, string>>;
  /** Times that it has found the server again: what was said to it before may be lost. */
  readonly returns: number;
  /** Whether it is leaving. */
  readonly leaving?: boolean;
}

/** A program says that it is there. */
export interface ProgramMessage {
  /** Letters of its own. */
  readonly program: string;
  /** Kinds of the jobs that it has in the queue. */
  readonly kinds: readonly string[];
  /** Its teams. */
  readonly teams: readonly string[];
}

/** What a program says to a worker about a member of a team; `tag` tells members apart that were made anew. */
export type MemberRequest = { readonly team: string; readonly tag: string } & (
  | {
      readonly kind: "open";
      readonly job: string;
      readonly version: string;
      readonly initial: Carried;
      readonly seed: string;
    }
  | {
      readonly kind: "round";
      readonly round: number;
      readonly args: Carried;
      readonly seed: string;
      /** Version of what is shared that the member must have seen; 0 for none. */
      readonly shared: number;
    }
  | { readonly kind: "share"; readonly version: number; readonly value: Carried }
  | { readonly kind: "stop"; readonly round: number }
  | { readonly kind: "leave" }
);

/** What a worker answers. */
export type MemberAnswer = { readonly tag: string } & (
  | { readonly kind: "opened" }
  | { readonly kind: "value"; readonly round: number; readonly value: Carried }
  | { readonly kind: "failed"; readonly round: number; readonly error: ErrorData }
  /** It lacks what is shared. */
  | { readonly kind: "unshared"; readonly round: number }
  /** It could not be made, or is not there any more. */
  | { readonly kind: "gone"; readonly error: ErrorData }
);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** @throws FormatError for what no worker says: it is kept, and looked at long after it was heard. */
export function checkedStatus(message: StatusMessage): StatusMessage {
  const { agent, workers, versions } = message;
  if (typeof agent === "string" && Array.isArray(workers) && workers.every(isRecord) && isRecord(versions))
    return message;
  throw new FormatError("cluster: the status of a worker lacks its agent, workers or versions");
}

/** @throws FormatError for what no program says. */
export function checkProgram({ program, kinds, teams }: ProgramMessage): void {
  const texts = (list: readonly string[]) => Array.isArray(list) && list.every((each) => typeof each === "string");
  if (typeof program === "string" && texts(kinds) && texts(teams)) return;
  throw new FormatError("cluster: what a program says lacks its name, kinds or teams");
}
