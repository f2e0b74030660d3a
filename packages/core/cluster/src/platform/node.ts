import { createHash } from "node:crypto";
import { availableParallelism, hostname } from "node:os";
import { parentPort, Worker } from "node:worker_threads";
import { readJobTable } from "../job-table.js";
import type { Platform } from "./platform.js";

/** Sources of this package may be run as they are, by what strips types. */
const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
const ownEntry = new URL(`../threads/thread-main.${extension}`, import.meta.url);

/** Node. */
export const platform: Platform = {
  startThread({ entry = ownEntry, memory }, { onMessage, onEnd }) {
    const file = typeof entry === "string" && entry.startsWith("file:") ? new URL(entry) : entry;
    const worker = new Worker(file, {
      ...(memory !== undefined && { resourceLimits: { maxOldGenerationSizeMb: memory } }),
    });
    let reason: string | undefined;
    worker.on("message", onMessage);
    worker.on("error", (error: NodeJS.ErrnoException) => {
      reason = error?.code === "ERR_WORKER_OUT_OF_MEMORY" ? "it ran out of memory" : (error?.message ?? String(error));
    });
    worker.on("exit", (code) => onEnd(reason ?? `it ended with code ${code}`));
    return {
      post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
      terminate: () => void worker.terminate(),
    };
  },
  ownPort() {
    if (parentPort === null) throw new Error("@offprint/cluster/thread begins a thread; import @offprint/cluster");
    const port = parentPort;
    return {
      post: (message, transfer = []) => port.postMessage(message, [...transfer]),
      onMessage: (listener) => void port.on("message", listener),
    };
  },
  parallelism: availableParallelism(),
  host: hostname(),
  sharedMemory: true,
  async digest(parts) {
    const hash = createHash("sha256");
    for (const part of parts) hash.update(part);
    return hash.digest("hex");
  },
  readJobs: readJobTable,
  // Loaded where it is wanted: threads work without the clients of NATS.
  openNats: async (options) => (await import("../nats/nats-cluster.js")).openNatsCluster(options),
  joinNats: async (options) => (await import("../nats/agent.js")).joinNatsCluster(options),
};
