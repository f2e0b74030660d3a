import type { ClaimRun } from "@offprint/claims";
import type { Failure } from "@offprint/commands";
import type { ClaimsEvents } from "./claims-pool.js";
import type { ClaimsTask } from "./claims-task.js";
import type { UsedDevice } from "./environment-facts.js";

/** Claims that were run, and what they cost. */
export interface TimedRun extends ClaimRun {
  /** Seconds of processor time, loading the claims included, where a process of this machine ran them. */
  readonly processorSeconds?: number;
}

/** What became of a task: its run, or why it has none. */
export type ClaimsOutcome = TimedRun | Failure;

/** Where claims run: in processes of this machine, or on the machines of a cluster. */
export interface ClaimsRunner {
  readonly used: UsedDevice;
  /**
   * Runs tasks, each as soon as there is room; one that fails takes no other with it.
   *
   * @returns what became of them, in the order of the tasks
   */
  run(
    tasks: readonly ClaimsTask[],
    events: (place: number) => ClaimsEvents,
    signal: AbortSignal,
  ): Promise<ClaimsOutcome[]>;
  /** Ends what still runs. */
  end(): void | Promise<void>;
}
