import type { Cluster, JobReference } from "@offprint/cluster";
import { applyUpdates, type GradientTransformation, sgd } from "@offprint/optim";
import { div, type Tensor, tree } from "@offprint/tensor-core";
import type { Scheme, trainOnCluster } from "../src/index.js";
import type { DigitsConfig } from "./digits-job.js";
import { firstModels, type LogisticData, type LogisticParams, lossAndGradient } from "./logistic-regression.js";

/** How a run with coding compares to one on a single process. */
export interface ExactRun {
  /** Largest relative error of a decoded gradient. */
  readonly gradientError: number;
  /** Largest difference of losses along the way. */
  readonly lossError: number;
  /** Largest difference of final weights. */
  readonly weightError: number;
  /** Workers that were let go, over all rounds. */
  readonly stragglers: number;
}

const learningRate = 1;
const norm = (values: ArrayLike<number>) => Math.sqrt(Array.from(values).reduce((sum, x) => sum + x * x, 0));
const flat = (params: unknown) => tree.leaves(params).flatMap((leaf) => Array.from(leaf.data()));

async function direct(params: LogisticParams, data: LogisticData) {
  const samples = data.x.shape[0];
  const [value, gradient] = await lossAndGradient(params, data);
  return { objective: value.item() / samples, gradient: tree.map((g: Tensor) => div(g, samples), gradient) };
}

/** Single-process training with the same order of updates: job t is a step of model t mod M. */
export async function trainAlone(data: LogisticData, count: number, steps: number) {
  const optimizer = sgd({ learningRate });
  const models = firstModels(count, data.x.shape[1]).map((params) => ({ params, state: optimizer.init(params) }));
  const losses: number[] = [];
  for (let t = 0; t < steps; t++) {
    const { params, state } = models[t % count];
    const { objective, gradient } = await direct(params, data);
    losses.push(objective);
    const next = optimizer.update(gradient, state, params);
    models[t % count] = { params: applyUpdates(params, next.updates), state: next.state };
  }
  return { models: models.map(({ params }) => params), losses };
}

/** Trains under a scheme with given stragglers, and compares each gradient with the direct one. */
export async function exactRun(
  train: typeof trainOnCluster,
  where: Pick<Cluster, "team">,
  job: JobReference,
  scheme: Scheme,
  { data, silent, steps }: { data: LogisticData; silent: readonly (readonly number[])[]; steps: number },
): Promise<ExactRun> {
  const { init, update } = sgd({ learningRate });
  const decoded: { gradient: unknown; params: LogisticParams }[] = [];
  const optimizer: GradientTransformation = {
    init,
    update(gradient, state, params) {
      decoded.push({ gradient, params: params as unknown as LogisticParams });
      return update(gradient, state as never, params);
    },
  };
  const count = scheme.delay + 1;
  const config: DigitsConfig = { silent };
  const { models, history } = await train(
    where,
    scheme,
    { job, models: firstModels(count, data.x.shape[1]), optimizer, data, config },
    // Everybody who is not silent has answered: an event, not a time.
    { steps, patience: ({ round, answered }) => answered(scheme.workers - (silent[round]?.length ?? 0)) },
  );
  const alone = await trainAlone(data, count, steps);
  let gradientError = 0;
  for (const { gradient, params } of decoded) {
    const right = flat((await direct(params, data)).gradient);
    const error = norm(flat(gradient).map((x, k) => x - right[k])) / norm(right);
    gradientError = Math.max(gradientError, error);
  }
  const largest = (differences: number[]) => Math.max(0, ...differences.map(Math.abs));
  const updates = history.flatMap((round) => round.updates);
  return {
    gradientError,
    lossError: largest(updates.map(({ job: t, objective }) => objective - alone.losses[t])),
    weightError: largest(models.flatMap((params, m) => flat(params).map((x, k) => x - flat(alone.models[m])[k]))),
    stragglers: history.reduce((sum, { stragglers }) => sum + stragglers.length, 0),
  };
}
