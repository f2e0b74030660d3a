import { type ClaimContext, meanOf } from "@offprint/claims";
import { trainTestSplit } from "@offprint/data";
import { digits } from "@offprint/datasets";
import { type ActivationName, conv2d, linear, sequential } from "@offprint/nn";
import { accuracy, crossEntropy, type GradientTransformation, piecewiseSchedule, train } from "@offprint/optim";
import {
  add,
  div,
  hostBackend,
  jit,
  maxPool,
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
import { type DiffGradState, diffGrad, frictionOfUpdate } from "../src/index.js";

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
function* batchIndices(epochRng: Rng, runs: readonly number[]): Generator<Tensor> {
  const orders = runs.map((run) => epochRng.clone().fork(run).permutation(TRAIN).data());
  for (let from = 0; from < TRAIN; from += BATCH) {
    const parts = orders.map((order) => tensor(order.slice(from, from + BATCH)));
    yield stack(parts);
  }
}

/** How to train. */
export interface DigitOptions<S = unknown> {
  /** Makes the updates. */
  optimizer: GradientTransformation<S>;
  /** Numbers of the runs, which differ in initial parameters and in the order of the samples. */
  runs: readonly number[];
  /** Default `relu`. */
  activation?: ActivationName;
  /** Default 10. */
  epochs?: number;
  /** Told the finished fraction. */
  onFraction?: (fraction: number) => Promise<void>;
}

/**
 * Several runs as one computation: their parameters are stacked, and the loss is the sum of theirs, so that every run
 * has the gradient it would have alone. Needs an optimizer that treats coordinates alone.
 */
async function trainOnDigits<S>(context: ClaimContext, options: DigitOptions<S>) {
  const { optimizer, runs, activation = "relu", epochs = EPOCHS, onFraction } = options;
  const network = digitNetwork(activation);
  const { train: learn, test } = digitImages(context.seed);
  const [first, ...others] = runs.map((run) => network.init(random.rng(`${context.seed}/run/${run}`)));
  const loss = (p: any, images: Tensor, labels: Tensor) => crossEntropy(network.apply(p, images), labels);
  const perEpoch = Math.ceil(TRAIN / BATCH);
  const { params, optimizerState } = await train({
    loss: (p: any, batch: { images: Tensor; labels: Tensor }) => sum(vmap(loss)(p, batch.images, batch.labels)),
    initial: tree.map((...leaves: Tensor[]) => stack(leaves), first, ...others),
    optimizer,
    *data(_, rng) {
      for (const at of batchIndices(rng, runs))
        yield { images: take(learn.inputs, at), labels: take(learn.targets, at) };
    },
    epochs,
    seed: context.seed,
    onProgress: ({ step }) => onFraction?.(step / (epochs * perEpoch)),
    // A step of so small a network takes a device longer than this compiler's code.
    backend: hostBackend,
  });
  const judge = (p: any) => vmap((one: any) => accuracy(network.apply(one, test.inputs), test.targets))(p) as Tensor;
  const judged = jit(judge);
  // Counts over 500, which float32 rounds below a criterion that they meet.
  const accuracies = Array.from((await judged(params)).data(), (part) => Math.round(part * TEST) / TEST);
  await judged.release();
  return { accuracies, optimizerState: optimizerState as S };
}

/** Test accuracies, one a run. */
export async function digitAccuracies(context: ClaimContext, options: DigitOptions): Promise<readonly number[]> {
  return (await trainOnDigits(context, options)).accuracies;
}

/** diffGrad that adds up the mean friction coefficients of its updates. */
function withFriction(optimizer: GradientTransformation<DiffGradState>) {
  type State = { readonly own: DiffGradState; readonly total: Tensor };
  const transformation: GradientTransformation<State> = {
    init: (params) => ({ own: optimizer.init(params), total: tensor(0) }),
    update(gradients, { own, total }, params) {
      const { updates, state } = optimizer.update(gradients, own, params);
      const leaves = tree.leaves<Tensor>(frictionOfUpdate(own, state));
      const size = leaves.reduce((n, xi) => n + xi.size, 0);
      const mean = div(
        leaves.map((xi) => sum(xi)).reduce((a, b) => add(a, b)),
        size,
      );
      return { updates, state: { own: state, total: add(total, mean) } };
    },
  };
  return transformation;
}

/** Mean friction coefficient of diffGrad in its first epoch, of one run: how far it is from half Adam (1/2). */
export async function meanFriction(context: ClaimContext, learningRate: number): Promise<number> {
  const optimizer = withFriction(diffGrad({ learningRate }));
  const { optimizerState } = await trainOnDigits(context, { optimizer, runs: [0], epochs: 1 });
  return optimizerState.total.item() / Math.ceil(TRAIN / BATCH);
}

/** How many runs a mean is taken over. */
export interface RunCounts {
  /** Runs at a time. */
  readonly round: number;
  /** Runs at most. */
  readonly most: number;
}

/**
 * Accuracies of as many runs as it takes to see on which side of a criterion their mean lies: rounds until it is
 * further from it than its standard error, or until there are no more.
 */
export async function untilClear(
  { round, most }: RunCounts,
  criterion: number,
  accuraciesOf: (runs: readonly number[]) => Promise<readonly number[]>,
): Promise<readonly number[]> {
  const all: number[] = [];
  while (all.length < most) {
    const count = Math.min(round, most - all.length);
    all.push(...(await accuraciesOf(Array.from({ length: count }, (_, i) => all.length + i))));
    const mean = meanOf(all);
    const variance = all.reduce((total, a) => total + (a - mean) ** 2, 0) / Math.max(1, all.length - 1);
    if (all.length > 1 && Math.abs(mean - criterion) > Math.sqrt(variance / all.length)) break;
  }
  return all;
}
