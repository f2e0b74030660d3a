import type { ClaimRun } from "@offprint/claims";
import type { ClaimsEvents } from "./claims-pool.js";
import type { ClaimsTask } from "./claims-task.js";
import type { UsedDevice } from "./environment-facts.js";

/** Where claims run: in processes of this machine, or on the machines of a cluster. */
export interface ClaimsRunner {
  readonly used: UsedDevice;
  /** Runs tasks, each as soon as there is room; gives the runs in the order of the tasks. */
  run(tasks: readonly ClaimsTask[], events: (place: number) => ClaimsEvents, signal: AbortSignal): Promise<ClaimRun[]>;
  /** Ends what still runs. */
  end(): void | Promise<void>;
}
