import type { NatsConnectionOptions } from "./cluster.js";
import type { WorkerStatus } from "./worker-status.js";

/** Options of `joinCluster`. */
export interface AgentOptions extends NatsConnectionOptions {
  /** Jobs that run at once, besides members of teams; default the number of processors. */
  readonly workers?: number;
  /** Megabytes of the heap that a thread may take. */
  readonly memory?: number;
  /** The file that a bundler has made of `@offprint/cluster/thread`; not needed where nothing is bundled. */
  readonly entry?: string | URL;
  /** Closes the worker, also while it waits for a program to make the queues. */
  readonly signal?: AbortSignal;
  /** Told what happens, one line each: connected, lost the server, refused a job. */
  readonly onEvent?: (line: string) => void;
}

/** A worker that has joined. */
export interface ClusterWorker {
  /** Its name: machine, process and four random letters. */
  readonly id: string;
  /** How its threads are. */
  status(): WorkerStatus[];
  /** Stops taking jobs, gives back those that are running, and lets go of the server. */
  close(): Promise<void>;
  /** Resolves when it has been closed. */
  readonly closed: Promise<void>;
}
