import { requireObject, ValueError } from "@offprint/tensor-core";
import { platform } from "#platform";
import type { AgentOptions, ClusterWorker } from "./agent-options.js";
import type { Cluster, NatsClusterOptions, ThreadsClusterOptions } from "./cluster.js";
import { openThreadsCluster } from "./threads/threads-cluster.js";

/**
 * Opens a cluster: threads of this machine, or the workers that have joined through NATS. Programs are the same for both.
 *
 * @throws ValueError for options that there are not; ClusterConnectionError where the server cannot be reached;
 * MissingDependencyError where the clients of NATS are not installed
 * @example
 * const threads = await cluster({ kind: "threads", workers: 4 });
 * const machines = await cluster({ kind: "nats", servers: "tls://nats.example.org", credentials: { file: "me.creds" } });
 */
export async function cluster(options: ThreadsClusterOptions | NatsClusterOptions): Promise<Cluster> {
  switch (options?.kind) {
    case "threads":
      return openThreadsCluster(options);
    case "nats":
      return platform.openNats(options);
    default: {
      const kind = String((options as { kind?: unknown } | undefined)?.kind);
      throw new ValueError(`cluster: kind is ${kind}; it must be "threads" or "nats"`);
    }
  }
}

/**
 * Joins a cluster as a worker: runs the jobs of its programs on threads of this machine, those that the packages
 * installed here declare, and no others.
 *
 * @throws ClusterConnectionError where the server cannot be reached or refuses
 */
export function joinCluster(options: AgentOptions): Promise<ClusterWorker> {
  requireObject("joinCluster", "options", options, "{ servers }");
  return platform.joinNats(options);
}
