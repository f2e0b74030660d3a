import type { ClaimRun } from "@offprint/claims";
import type { Job } from "@offprint/cluster";
import { Failure } from "@offprint/commands";
import { type ClaimsTask, runTask } from "./claims-task.js";
import { findMethod, ownRegistry, type Registry } from "./registry.js";

/** A task for another machine, which must have the same version of the method. */
export interface RemoteClaims extends ClaimsTask {
  readonly version: string;
}

let registry: Registry | undefined;

/** Runs the claims of a method under one seed on the host kernels of a worker. Its progress is a `ClaimsEvent`. */
export const reproduceClaims: Job<RemoteClaims, ClaimRun> = (task, { progress, signal }) => {
  registry ??= ownRegistry();
  const { version } = findMethod(registry, task.method);
  if (version !== task.version) {
    throw new Failure(
      `${task.method}: this program has version ${task.version}, the worker has ${version}; install the same.`,
    );
  }
  return runTask(registry, undefined, task, progress, signal);
};
