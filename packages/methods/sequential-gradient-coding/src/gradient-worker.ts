import type { TeamJob } from "@offprint/cluster";
import { makeBreather } from "@offprint/solvers";
import { type TensorLike, ValueError } from "@offprint/tensor-core";
import { ravelGradient } from "./ravel-gradient.js";
import type { Range } from "./scheme.js";

/** What a worker is told about a round before it works. */
export interface WorkerRound {
  /** The worker's number. */
  readonly worker: number;
  /** The round, from 0. */
  readonly round: number;
  /** Its work of this round, in full gradients. */
  readonly work: number;
  /** Fires when the round is closed. */
  readonly signal: AbortSignal;
}

/** What a worker computes: the user's model. */
export interface WorkerModel<P, D> {
  /**
   * The **sum** of the loss over some samples, and its gradient, a tree like the parameters: such as
   * `jit(valueAndGrad(loss))`.
   */
  readonly valueAndGradient: (params: P, data: D) => GradientPair<P> | Promise<GradientPair<P>>;
  /** Reads samples where the worker is, for problems that give their number in place of the data. */
  readonly load?: (range: Range) => D | Promise<D>;
  /** Called before the work of a round and awaited: injects the delays of an experiment. */
  readonly pace?: (round: WorkerRound) => unknown;
}

/** A loss and its gradient. */
export type GradientPair<P> = readonly [value: TensorLike, gradient: P];

/** A chunk as a worker is given it: its samples, or where they are. */
export type ChunkSource<D> = { readonly data: D } | Range;

/** What a worker begins with. */
export interface WorkerShare<C, D> {
  /** Its number. */
  readonly worker: number;
  /** What the problem says to all workers. */
  readonly config: C;
  /** Its own chunks; null for an empty one. */
  readonly own: readonly (ChunkSource<D> | null)[];
  /** Of each group its chunks. */
  readonly coded: readonly (readonly (ChunkSource<D> | null)[])[];
  /** Factors of the chunks of a group. */
  readonly factors: readonly number[];
}

/** What a worker is asked in a round. */
export interface WorkOrder<P> {
  /** The round. */
  readonly round: number;
  /** Mini-tasks with their jobs. */
  readonly tasks: readonly { readonly job: number; readonly task: number }[];
  /** Work of the round in full gradients. */
  readonly work: number;
  /** Weights that the worker does not have yet. */
  readonly weights: readonly { readonly job: number; readonly params: P }[];
  /** Jobs below are over. */
  readonly oldest: number;
}

/** What it answers: a vector for each mini-task, or nothing where the round was closed meanwhile. */
export type WorkResult = readonly Float64Array[];

/**
 * Makes the job of workers from the user's model; export it, and name it to `trainOnCluster`.
 *
 * @param make makes the model from what the problem says to all workers; runs once in each worker
 * @example
 * // jobs.js, declared in package.json: "offprint": { "jobs": { "regression": "./jobs" } }
 * export const regression = gradientWorker(() => ({ valueAndGradient: jit(valueAndGrad(loss)) }));
 */
export function gradientWorker<C, P, D>(
  make: (config: C) => WorkerModel<P, D> | Promise<WorkerModel<P, D>>,
): TeamJob<WorkerShare<C, D>, WorkOrder<P>, WorkResult> {
  return async ({ worker, config, own, coded, factors }) => {
    const { valueAndGradient, load, pace } = await make(config);
    const loaded = new Map<ChunkSource<D>, D>();
    const samplesOf = async (chunk: ChunkSource<D>): Promise<D> => {
      if ("data" in chunk) return chunk.data;
      const known = loaded.get(chunk);
      if (known !== undefined) return known;
      if (load === undefined) {
        throw new ValueError(
          "gradientWorker: load is missing; the problem has only the number of its samples, so give it",
        );
      }
      const data = await load(chunk);
      loaded.set(chunk, data);
      return data;
    };
    const weights = new Map<number, P>();
    return async (order, { signal, aborted }) => {
      const breather = makeBreather();
      for (const job of weights.keys()) if (job < order.oldest) weights.delete(job);
      for (const { job, params } of order.weights) weights.set(job, params);
      await pace?.({ worker, round: order.round, work: order.work, signal });
      const results: Float64Array[] = [];
      for (const { job, task } of order.tasks) {
        const params = weights.get(job);
        if (params === undefined) throw new ValueError(`worker ${worker} has no weights of job ${job}`);
        const chunks = task < own.length ? [own[task]] : coded[task - own.length];
        let sum = new Float64Array(0);
        for (const [k, chunk] of chunks.entries()) {
          // Nobody waits for it any more.
          if (aborted()) return [];
          if (chunk === null) continue;
          const vector = ravelGradient(...(await valueAndGradient(params, await samplesOf(chunk))));
          const factor = task < own.length ? 1 : factors[k];
          if (sum.length === 0) sum = new Float64Array(vector.length);
          for (let j = 0; j < vector.length; j++) sum[j] += factor * vector[j];
          if (breather.due()) await breather.pause();
        }
        results.push(sum);
      }
      return results;
    };
  };
}
