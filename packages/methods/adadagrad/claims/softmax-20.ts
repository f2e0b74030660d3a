import { logSumExp, matmul, mul, oneHot, random, sub, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { type AdaptiveOptions, type AdaptiveProblem, type AdaptiveResult, denseStatistics } from "../src/index.js";

const FEATURES = 20;
const CLASSES = 5;
export const TRAIN = 20_000;
const VALIDATION = 2_000;

interface Batch {
  readonly x: Tensor;
  readonly y: Tensor;
}

/** Softmax regression on features whose scales fall from 1 to 0.1; labels are noisy. */
export interface Softmax20 {
  /** What is trained. */
  readonly problem: AdaptiveProblem<{ weight: Tensor }, Batch>;
  /** Mean loss and accuracy on samples that were held out. */
  validate(params: { readonly weight: Tensor }): { readonly loss: number; readonly accuracy: number };
}

function lossesOf(logits: Tensor, y: Tensor): Tensor {
  return sub(logSumExp(logits, { axis: 1 }), sum(mul(logits, oneHot(y, CLASSES, { dtype: "float64" })), { axis: 1 }));
}

/** Draws the data; the training and the held-out samples come from one distribution. */
export function softmax20(seed: number): Softmax20 {
  const rng = random.rng(`${seed}/softmax-20`);
  const n = TRAIN + VALIDATION;
  const scales = tensor(Float64Array.from({ length: FEATURES }, (_, j) => 10 ** (-j / (FEATURES - 1))));
  const features = mul(rng.normal([n, FEATURES], { dtype: "float64" }), scales);
  const truth = rng.normal([FEATURES, CLASSES], { dtype: "float64" });
  const labels = mul(2, matmul(features, truth))
    .add(rng.gumbel([n, CLASSES], { dtype: "float64" }))
    .argMax({ axis: 1 });
  const rows = new Float64Array(n * (FEATURES + 1)).fill(1);
  const values = features.data();
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < FEATURES; j++) rows[i * (FEATURES + 1) + j] = values[i * FEATURES + j];
  }
  const width = FEATURES + 1;
  const classes = labels.data() as Int32Array;
  const x = tensor(rows.slice(TRAIN * width), { shape: [VALIDATION, width] });
  const y = tensor(classes.slice(TRAIN));
  return {
    problem: {
      params: { weight: tensor(new Float64Array(width * CLASSES), { shape: [width, CLASSES] }) },
      data: {
        size: TRAIN,
        batch(indices) {
          const batch = new Float64Array(indices.length * width);
          indices.forEach((i, k) => {
            batch.set(rows.subarray(i * width, (i + 1) * width), k * width);
          });
          return {
            x: tensor(batch, { shape: [indices.length, width] }),
            y: tensor(Int32Array.from(indices, (i) => classes[i])),
          };
        },
      },
      sampleLoss: ({ weight }, batch) => lossesOf(matmul(batch.x, weight), batch.y),
      statistics: denseStatistics(({ weight }: { weight: Tensor }, batch: Batch, layer) =>
        lossesOf(layer({ weight }, batch.x), batch.y),
      ),
    },
    validate({ weight }) {
      const logits = matmul(x, weight);
      const right = logits.argMax({ axis: 1 }).data();
      const wanted = y.data();
      let count = 0;
      for (let i = 0; i < VALIDATION; i++) if (right[i] === wanted[i]) count++;
      return { loss: lossesOf(logits, y).mean().item(), accuracy: count / VALIDATION };
    },
  };
}

/** A run as a row of a table. */
export interface Run {
  /** Steps made. */
  readonly steps: number;
  /** Samples per step. */
  readonly meanBatch: number;
  /** Loss on held-out samples. */
  readonly loss: number;
  /** Accuracy on held-out samples. */
  readonly accuracy: number;
  /** Batch size at each step. */
  readonly sizes: readonly number[];
}

/** What trains; tests put something else in its place. */
export type Trainer = (
  problem: Softmax20["problem"],
  options: AdaptiveOptions,
) => Promise<AdaptiveResult<{ weight: Tensor }>>;

/** Trains and judges. */
export async function runOn(data: Softmax20, train: Trainer, options: AdaptiveOptions): Promise<Run> {
  const { params, history } = await train(data.problem, { maxMicro: 4096, ...options });
  const samples = history.at(-1)?.samples ?? 0;
  return {
    steps: history.length,
    meanBatch: samples / history.length,
    ...data.validate(params),
    sizes: history.map(({ batchSize }) => batchSize),
  };
}

/** Every tenth of `values`, for plots of long runs. */
export function thinned(values: readonly number[], most = 400): { readonly x: number[]; readonly y: number[] } {
  const every = Math.max(1, Math.ceil(values.length / most));
  const at = values.flatMap((_, i) => (i % every === 0 ? [i] : []));
  return { x: at, y: at.map((i) => values[i]) };
}
