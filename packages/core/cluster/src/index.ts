export type { AgentOptions, ClusterWorker } from "./agent-options.js";
export type {
  Cluster,
  NatsClusterOptions,
  NatsConnectionOptions,
  NatsCredentials,
  NatsTls,
  ThreadsClusterOptions,
} from "./cluster.js";
export { ClusterConnectionError, JobError, JobRefusedError, JobTimeoutError, WorkerLostError } from "./errors.js";
export { type GridOutcome, type GridSearchOptions, type GridSearchResult, gridSearch } from "./grid-search.js";
export type { Job, JobContext, JobReference, Member, Ref, RoundContext, TeamJob } from "./job.js";
export { cluster, joinCluster } from "./open.js";
export type { JobProgress, MapOptions, Outcome } from "./outcome.js";
export type { Answer, Round, RoundOptions, Team, TeamOptions } from "./team.js";
export type { WorkerStatus } from "./worker-status.js";
