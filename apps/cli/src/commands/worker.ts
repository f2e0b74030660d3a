import { defineCommand, Failure, option } from "@offprint/commands";
import { clusterOptions, connectionFailure, connectionOf } from "../cluster-options.js";
import type { Registry } from "../registry.js";

/** `offprint worker`: this machine runs jobs for the programs of a cluster, until it is told to stop. */
export function workerCommand(registry: Registry) {
  return defineCommand({
    name: "worker",
    summary: "run jobs for programs on other machines, until Ctrl-C",
    options: {
      ...clusterOptions,
      workers: option.integer("jobs that run at once; default the number of processors", { least: 1 }),
      memory: option.integer("megabytes of the heap that a job may take", { least: 16 }),
    },
    details:
      "Runs what the packages installed beside this command declare as jobs, and refuses everything else. What it is running when it is told to stop goes to another worker.",
    async run({ options, note, signal }) {
      const { cluster: servers, workers, memory } = options;
      if (servers === undefined) throw new Failure("--cluster is missing: nats://127.0.0.1:4222, tls://host.");
      const { joinCluster } = await import("@offprint/cluster");
      const worker = await joinCluster({
        ...connectionOf(options, servers, registry.manifestPath),
        ...(workers !== undefined && { workers }),
        ...(memory !== undefined && { memory }),
        signal,
        onEvent: note,
      }).catch((error: unknown) => {
        if (signal.aborted) return undefined;
        throw connectionFailure(error);
      });
      await worker?.closed;
    },
  });
}
