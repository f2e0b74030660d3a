import type { ClaimContext } from "@offprint/claims";
import { trainTestSplit } from "@offprint/data";
import { digits } from "@offprint/datasets";
import { type ActivationName, conv2d, linear, sequential } from "@offprint/nn";
import {
  accuracy,
  applyUpdates,
  crossEntropy,
  type GradientTransformation,
  piecewiseSchedule,
  train,
} from "@offprint/optim";
import {
  div,
  grad,
  jit,
  maxPool,
  mean,
  type Rng,
  random,
  reshape,
  stack,
  sum,
  type Tensor,
  take,
  tensor,
  tree,
  vmap,
} from "@offprint/tensor-core";
import { type DiffGradState, frictionOfUpdate } from "../src/index.js";

const TRAIN = 1297;
const TEST = 500;
const BATCH = 32;
export const EPOCHS = 10;

/** Two convolutions and a linear layer for 8 x 8 images, `[batch, 1, 8, 8]` to `[batch, 10]`. */
export function digitNetwork(activation: ActivationName) {
  return sequential(
    conv2d({ inputs: 1, outputs: 8, kernel: 3, padding: 1 }),
    activation,
    (x) => maxPool(x, 2),
    conv2d({ inputs: 8, outputs: 16, kernel: 3, padding: 1 }),
    activation,
    (x) => maxPool(x, 2),
    (x) => reshape(x, [x.shape[0], 64]),
    linear({ inputs: 64, outputs: 10 }),
  );
}

/** The learning rate of all runs: constant, a tenth of it for the last fifth of the epochs. */
export function stepped(learningRate: number, epochs = EPOCHS) {
  const boundary = Math.round(0.8 * epochs) * Math.ceil(TRAIN / BATCH);
  return piecewiseSchedule(learningRate, { [boundary]: 0.1 });
}

function digitImages(seed: number) {
  const set = digits();
  const inputs = reshape(div(set.inputs, 16), [TRAIN + TEST, 1, 8, 8]);
  return trainTestSplit({ inputs, targets: set.targets }, { test: TEST, rng: random.rng(`${seed}/digits`) });
}

/** Samples of a batch for every run at once, `[runs, batch]`; each run has an order of its own. */
function* batchIndices(epochRng: Rng, runs: number): Generator<Tensor> {
  const orders = Array.from({ length: runs }, (_, run) => epochRng.clone().fork(run).permutation(TRAIN).data());
  for (let from = 0; from < TRAIN; from += BATCH) {
    const parts = orders.map((order) => tensor(order.slice(from, from + BATCH)));
    yield stack(parts);
  }
}

/** How to train. */
export interface DigitOptions {
  /** Makes the optimizer, once. */
  optimizer: GradientTransformation;
  /** Number of runs, which differ in initial parameters and in the order of the samples. */
  runs: number;
  /** Default `relu`. */
  activation?: ActivationName;
  /** Default 10. */
  epochs?: number;
  /** Told the finished fraction. */
  onFraction?: (fraction: number) => Promise<void>;
}

/**
 * Test accuracies of several runs, `[runs]`. All runs are one computation: their parameters are stacked, and the loss
 * is the sum of theirs, so that every run has the gradient it would have alone. Needs an optimizer that treats
 * coordinates alone.
 */
export async function digitAccuracies(context: ClaimContext, options: DigitOptions): Promise<readonly number[]> {
  const { optimizer, runs, activation = "relu", epochs = EPOCHS, onFraction } = options;
  const network = digitNetwork(activation);
  const { train: learn, test } = digitImages(context.seed);
  const first = Array.from({ length: runs }, (_, run) => network.init(random.rng(`${context.seed}/run/${run}`)));
  const params = tree.map((...leaves: Tensor[]) => stack(leaves), first[0], ...first.slice(1));
  const loss = (p: any, images: Tensor, labels: Tensor) => crossEntropy(network.apply(p, images), labels);
  const perEpoch = Math.ceil(TRAIN / BATCH);
  const trained = await train({
    loss: (p: any, batch: { images: Tensor; labels: Tensor }) => sum(vmap(loss)(p, batch.images, batch.labels)),
    initial: params,
    optimizer,
    *data(_, rng) {
      for (const at of batchIndices(rng, runs))
        yield { images: take(learn.inputs, at), labels: take(learn.targets, at) };
    },
    epochs,
    seed: context.seed,
    signal: context.signal,
    onProgress: ({ step }) => onFraction?.(step / (epochs * perEpoch)),
    ...(context.backend && { backend: context.backend }),
  });
  const judge = (p: any) => vmap((one: any) => accuracy(network.apply(one, test.inputs), test.targets))(p) as Tensor;
  const judged = jit(judge, context.backend ? { backend: context.backend } : {});
  const accuracies = await (await judged(trained.params)).host();
  await judged.release();
  return Array.from(accuracies.data());
}

/** Mean friction coefficient of the updates of one epoch, the first run: how far diffGrad is from half Adam (1/2). */
export function meanFriction(context: ClaimContext, optimizer: GradientTransformation<DiffGradState>): number {
  const network = digitNetwork("relu");
  const { train: learn } = digitImages(context.seed);
  const gradient = grad((p: any, images: Tensor, labels: Tensor) => crossEntropy(network.apply(p, images), labels));
  let params = network.init(random.rng(`${context.seed}/run/0`));
  let state = optimizer.init(params);
  const means: number[] = [];
  for (const at of batchIndices(random.rng(`${context.seed}/epoch/0`), 1)) {
    const indices = at.flatten();
    const gradients = gradient(params, take(learn.inputs, indices), take(learn.targets, indices));
    const result = optimizer.update(gradients as any, state, params);
    const leaves = tree.leaves<Tensor>(frictionOfUpdate(state, result.state));
    means.push(leaves.reduce((total, xi) => total + sum(xi).item(), 0) / leaves.reduce((n, xi) => n + xi.size, 0));
    params = applyUpdates(params, result.updates);
    state = result.state;
  }
  return mean(tensor(means, { dtype: "float64" })).item();
}
