import type { DeviceChoice } from "@offprint/commands";
import type { TimedRun } from "./claims-runner.js";
import type { ClaimsEvent, ClaimsTask } from "./claims-task.js";
import type { UsedDevice } from "./environment-facts.js";

/** What a worker is told. */
export type ToWorker =
  | { readonly kind: "open"; readonly choice: DeviceChoice }
  | { readonly kind: "run"; readonly task: ClaimsTask };

/** What a worker tells. */
export type FromWorker =
  | { readonly kind: "ready"; readonly used: UsedDevice }
  | { readonly kind: "note"; readonly line: string }
  | ClaimsEvent
  | { readonly kind: "done"; readonly run: TimedRun }
  | { readonly kind: "failure"; readonly message: string; readonly exitCode: number };
