import type { AgentOptions, ClusterWorker } from "../agent-options.js";
import type { Cluster, NatsClusterOptions } from "../cluster.js";
import type { JobTable } from "../job.js";

/** How a thread is started. */
export interface ThreadSettings {
  /** Module that it begins with; default the one of this package. */
  readonly entry?: URL | string;
  /** Megabytes that it may take, where the platform can hold it to that. */
  readonly memory?: number;
}

/** A thread from outside. */
export interface ThreadHandle {
  /** Sends a message; the buffers are given away. */
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  /** Ends it, in whatever it does. */
  terminate(): void;
}

/** What is told about a thread. */
export interface ThreadEvents {
  onMessage(message: unknown): void;
  /** It has ended, by itself or by an error. */
  onEnd(reason: string): void;
}

/** A thread from inside. */
export interface OwnPort {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  onMessage(listener: (message: unknown) => void): void;
}

/** What differs between Node and pages. */
export interface Platform {
  startThread(settings: ThreadSettings, events: ThreadEvents): ThreadHandle;
  ownPort(): OwnPort;
  /** Threads that this machine has room for. */
  readonly parallelism: number;
  /** Name of this machine. */
  readonly host: string;
  /** Whether a thread can see a flag of this one while it computes. */
  readonly sharedMemory: boolean;
  /** Hash of bytes, as lower-case hexadecimals. */
  digest(parts: readonly Uint8Array[]): Promise<string>;
  /** The jobs of installed packages. */
  readJobs(manifest: URL | string | undefined): JobTable;
  openNats(options: NatsClusterOptions): Promise<Cluster>;
  joinNats(options: AgentOptions): Promise<ClusterWorker>;
}
