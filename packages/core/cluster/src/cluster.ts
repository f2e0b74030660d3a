import type { JobReference, Ref } from "./job.js";
import type { MapOptions, Outcome } from "./outcome.js";
import type { Team, TeamOptions } from "./team.js";
import type { WorkerStatus } from "./worker-status.js";

/** Runs jobs: on threads of this machine, or on many machines. */
export interface Cluster {
  /**
   * Runs a job for each of a list of arguments, on whatever is free. Outcomes come as they are ready; a job that fails is
   * an outcome with an `error`. The list may be endless and look at earlier outcomes: it is asked for the next arguments
   * only when there is room.
   *
   * @throws JobRefusedError, in the first step of the iteration, for a job that no package here declares
   * @example
   * for await (const { index, value, error } of cluster.map<Pair, number>("@offprint/fzoos#localRound", pairs)) {
   *   results[index] = value;
   * }
   */
  map<A = unknown, R = unknown>(
    job: JobReference,
    argumentsList: Iterable<A> | AsyncIterable<A>,
    options?: MapOptions,
  ): AsyncIterable<Outcome<R>>;
  /**
   * Starts workers with state, such as shards of data or federated clients: each is a thread of its own, here or on
   * another machine, that a job has made from what it was given.
   */
  team<I = unknown, A = unknown, R = unknown>(job: JobReference, options: TeamOptions<I>): Promise<Team<A, R>>;
  /** Keeps a value where every worker can get it (`context.get`), once. */
  put(value: unknown): Promise<Ref>;
  /** The workers, as they were last heard of. */
  status(): WorkerStatus[];
  /** Ends the threads, or lets go of the server. What is still running is aborted. */
  close(): Promise<void>;
}

/** Jobs on threads of this machine, in Node and in pages. */
export interface ThreadsClusterOptions {
  /** The kind. */
  readonly kind: "threads";
  /** Threads that run jobs, besides those of teams; default the number of processors. */
  readonly workers?: number;
  /** Jobs by name with the address of their module, for pages, which cannot look at what is installed. */
  readonly jobs?: Readonly<Record<string, string | URL>>;
  /** The package.json whose dependencies may be run; default the nearest one above the working directory. */
  readonly manifest?: string | URL;
  /** Megabytes of the heap that a thread may take, in Node. */
  readonly memory?: number;
  /** The file that a bundler has made of `@offprint/cluster/thread`; not needed where nothing is bundled. */
  readonly entry?: string | URL;
}

/** How a cluster or a worker shows who it is. From files or the environment, never in addresses. */
export type NatsCredentials =
  | { readonly file: string }
  | { readonly token: string }
  | { readonly user: string; readonly password: string };

/** Files of certificates, as PEM. */
export interface NatsTls {
  /** Of the authority that has signed the server's; default those of the system. */
  readonly ca?: string;
  /** The certificate shown to the server. */
  readonly cert?: string;
  /** Its key. */
  readonly key?: string;
}

/** Where a server of NATS is, and how to talk to it. */
export interface NatsConnectionOptions {
  /** Addresses, such as `tls://nats.example.org:4222`. */
  readonly servers: string | readonly string[];
  /**
   * Who this is. Default what the environment says: `OFFPRINT_NATS_CREDENTIALS` (a file), `OFFPRINT_NATS_TOKEN`, or
   * `OFFPRINT_NATS_USER` with `OFFPRINT_NATS_PASSWORD`.
   */
  readonly credentials?: NatsCredentials;
  /** Certificates; `tls://` addresses are encrypted without them, too. */
  readonly tls?: NatsTls;
  /** Allows a server beyond this machine without both TLS and credentials. Default false. */
  readonly insecure?: boolean;
  /** Name of the cluster: what workers and programs have in common. Letters, digits, `-`, `_`; default `offprint`. */
  readonly name?: string;
  /** Milliseconds to wait for the server. Default 5000. */
  readonly connectTimeout?: number;
  /** The package.json whose dependencies may be run; default the nearest one above the working directory. */
  readonly manifest?: string | URL;
}

/** Jobs on many machines, through NATS with JetStream. */
export interface NatsClusterOptions extends NatsConnectionOptions {
  /** The kind. */
  readonly kind: "nats";
  /** Milliseconds after which a job goes to another worker when its own has fallen silent. Default 10000. */
  readonly ackWait?: number;
  /** Jobs that may wait at the server, of all programs together; default 10000. */
  readonly maxQueued?: number;
}
