import { trainTestSplit } from "@offprint/data";
import { digits } from "@offprint/datasets";
import { crossEntropy } from "@offprint/optim";
import {
  add,
  jitSync,
  matmul,
  mul,
  type Rng,
  random,
  scan,
  type Tensor,
  take,
  tanh,
  tensor,
  tree,
} from "@offprint/tensor-core";

/** Weights and biases of the network 64 - 8 tanh - 10. */
export type Network = Readonly<Record<"w0" | "b0" | "w1" | "b1", Tensor>>;

/** Images, `[batch, 64]`, and their digits. */
export interface Images {
  readonly x: Tensor;
  readonly y: Tensor;
}

/** What the network gives, `[batch, 10]`. */
export function logits({ w0, b0, w1, b1 }: Network, { x }: Images): Tensor {
  return add(matmul(tanh(add(matmul(x, w0), b0)), w1), b1);
}

/** Its loss, a mean over the batch. */
export function networkLoss(network: Network, images: Images): Tensor {
  return crossEntropy(logits(network, images), images.y);
}

/** Weights of variance 1 / inputs, biases 0. */
export function initialNetwork(rng: Rng): Network {
  const draw = (n: number, m: number) => mul(rng.normal([n, m], { dtype: "float64" }), 1 / Math.sqrt(n));
  const zeros = (n: number) => tensor(new Float64Array(n));
  return { w0: draw(64, 8), b0: zeros(8), w1: draw(8, 10), b1: zeros(10) };
}

/** 1297 images of digits to train on, brightness in [0, 1]. */
export function trainingImages(rng: Rng): Images {
  const { inputs, targets } = trainTestSplit(digits({ dtype: "float64" }), { test: 500, rng }).train;
  return { x: mul(inputs, 1 / 16), y: targets };
}

/** Batches without replacement within an epoch, the same for the same seed: that of a step, from 0. */
export function batchOf(images: Images, size: number, seed: string): (step: number) => Images {
  const samples = images.x.shape[0];
  const perEpoch = Math.floor(samples / size);
  let [epoch, order]: [number, Int32Array] = [-1, new Int32Array()];
  return (step) => {
    const wanted = Math.floor(step / perEpoch);
    if (wanted !== epoch) {
      [epoch, order] = [wanted, random.rng(`${seed}/${wanted}`).permutation(samples).data() as Int32Array];
    }
    const from = (step % perEpoch) * size;
    const chosen = order.slice(from, from + size);
    return { x: take(images.x, chosen, { axis: 0 }), y: take(images.y, chosen, { axis: 0 }) };
  };
}

/** A network in training: a tree of tensors with the network in it. */
export interface Trainee<S> {
  readonly network: Network;
  readonly state: S;
}

/** A step of training; `rates` are the numbers that runs differ in, such as learning rate and momentum. */
export type TrainingRule<S> = (trainee: Trainee<S>, rates: Tensor, images: Images) => Trainee<S>;

/** Steps that are one compiled call. */
const chunk = 25;

/**
 * The mean loss of the trained networks over all images, for each of several `rates`: all see the same batches and begin
 * with the same weights. NaN and infinities stay, as a run that diverged gives them.
 */
export async function finalLosses<S>(
  images: Images,
  rule: { readonly init: (network: Network) => S; readonly step: TrainingRule<S> },
  runs: {
    readonly rates: readonly (readonly number[])[];
    readonly batch: number;
    readonly steps: number;
    readonly seed: string;
  },
  turn: () => Promise<void>,
): Promise<number[]> {
  const { rates, batch, steps, seed } = runs;
  const advance = jitSync(
    (trainee: Trainee<S>, own: Tensor, stacked: Images) =>
      scan((at: Trainee<S>, each: Images): [Trainee<S>, null] => [rule.step(at, own, each), null], trainee, stacked)[0],
  );
  const wholeLoss = jitSync(networkLoss);
  const network = initialNetwork(random.rng(`${seed}/weights`));
  const trainees: Trainee<S>[] = rates.map(() => ({ network, state: rule.init(network) }));
  const own = rates.map((each) => tensor(Float64Array.from(each)));
  const next = batchOf(images, batch, seed);
  for (let from = 0; from < steps; from += chunk) {
    const some = Array.from({ length: Math.min(chunk, steps - from) }, (_, i) => next(from + i));
    const stacked = stack(some);
    for (const [i, trainee] of trainees.entries()) {
      // A run that has diverged stays so.
      if (Number.isFinite(trainee.network.w1.data()[0])) trainees[i] = advance(trainee, own[i], stacked);
    }
    await turn();
  }
  const losses = trainees.map((trainee) => wholeLoss(trainee.network, images).item());
  advance.release();
  wholeLoss.release();
  return losses;
}

function stack(batches: readonly Images[]): Images {
  const { x, y } = batches[0];
  const whole = <A extends Float64Array | Int32Array>(values: A, part: (images: Images) => A): A => {
    for (const [i, images] of batches.entries()) values.set(part(images), i * part(images).length);
    return values;
  };
  const pixels = whole(new Float64Array(batches.length * x.size), (images) => images.x.data() as Float64Array);
  const labels = whole(new Int32Array(batches.length * y.size), (images) => images.y.data() as Int32Array);
  return {
    x: tensor(pixels, { shape: [batches.length, ...x.shape] }),
    y: tensor(labels, { shape: [batches.length, ...y.shape] }),
  };
}

/** Zeros like a network. */
export function zerosLike(network: Network): Network {
  return tree.map((w: Tensor) => mul(w, 0), network) as Network;
}
