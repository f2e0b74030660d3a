import type { ClaimRecord, ClaimRun, Scale } from "@offprint/claims";
import type { DeviceChoice } from "@offprint/commands";
import type { UsedDevice } from "./environment-facts.js";

/** The claims of a method under one seed. */
export interface ClaimsTask {
  /** Name of the method. */
  readonly method: string;
  readonly seed: number;
  readonly scale: Scale;
  /** Records of claims that need not be run again. */
  readonly finished: readonly ClaimRecord[];
}

/** What a worker is told. */
export type ToWorker =
  | { readonly kind: "open"; readonly choice: DeviceChoice }
  | { readonly kind: "run"; readonly task: ClaimsTask };

/** What a worker tells. */
export type FromWorker =
  | { readonly kind: "ready"; readonly used: UsedDevice }
  | { readonly kind: "note"; readonly line: string }
  | { readonly kind: "progress"; readonly fraction: number; readonly claim: string; readonly note: string }
  | { readonly kind: "record"; readonly record: ClaimRecord }
  | { readonly kind: "done"; readonly run: ClaimRun }
  | { readonly kind: "failure"; readonly message: string; readonly exitCode: number };
