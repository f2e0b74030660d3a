import { OffprintError } from "@offprint/tensor-core";

/** Where trials can run: a `Cluster` of `@offprint/cluster` is one. */
export interface TrialCluster {
  /** Runs a job for each of a list of arguments. */
  map(
    job: string,
    argumentsList: Iterable<unknown>,
    options?: { readonly retries?: number; readonly timeout?: number; readonly signal?: AbortSignal },
  ): AsyncIterable<{ readonly value?: unknown; readonly error?: Error | undefined }>;
}

/** Options of {@link objectiveOnCluster}. */
export interface ClusterTrialOptions {
  /** Times that a trial is tried again when it throws. Default 0. */
  readonly retries?: number;
  /** Milliseconds of one attempt. Default none. */
  readonly timeout?: number;
  /** Ends what is running. */
  readonly signal?: AbortSignal;
}

/**
 * An objective whose trials are jobs of a cluster: those of a batch run on as many workers as there are. The job gets the
 * settings and answers a number, or one for each objective.
 *
 * @param job - Its name, `"my-package#trial"`.
 */
export function objectiveOnCluster(
  cluster: TrialCluster,
  job: string,
  options: ClusterTrialOptions = {},
): (settings: (string | number)[]) => Promise<number | readonly number[]> {
  return async (settings) => {
    for await (const { value, error } of cluster.map(job, [settings], options)) {
      if (error !== undefined) throw error;
      return value as number | readonly number[];
    }
    throw new OffprintError(`objectiveOnCluster: ${job} gave no answer; it was aborted, or the cluster is closed`);
  };
}
