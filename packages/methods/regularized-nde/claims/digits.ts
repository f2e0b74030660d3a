import { type Dataset, trainTestSplit } from "@offprint/data";
import { digits } from "@offprint/datasets";
import { integrate, makeSdeSolver } from "@offprint/ode";
import { adam, crossEntropy } from "@offprint/optim";
import {
  add,
  broadcastTo,
  concatenate,
  jitSync,
  matmul,
  mul,
  type Rng,
  random,
  reshape,
  type Tensor,
  take,
  tanh,
  zeros,
} from "@offprint/tensor-core";
import type { FitOdeOptions, FitSdeOptions, fitOde, fitSde } from "../src/index.js";

/** A layer. */
export interface Dense {
  readonly w: Tensor;
  readonly b: Tensor;
}

function dense(rng: Rng, inputs: number, outputs: number): Dense {
  const bound = Math.sqrt(6 / (inputs + outputs));
  const w = mul(rng.uniform([inputs, outputs], { low: -1, high: 1, dtype: "float64" }), bound);
  return { w, b: zeros([outputs], "float64") };
}

const through = ({ w, b }: Dense, x: Tensor) => add(matmul(x, w), b);

/** Appends the time to every row. */
function withTime(t: Tensor, x: Tensor): Tensor {
  return concatenate([x, broadcastTo(reshape(t, [1, 1]), [x.shape[0], 1])], 1);
}

/** A batch of images and their digits. */
export interface Images {
  readonly x: Tensor;
  readonly y: Tensor;
}

/** Images in [0, 1], split. */
export function images(train: number, test: number): { train: Images; test: Images } {
  const parts = trainTestSplit(digits({ dtype: "float64" }), { test, rng: random.rng("digits") });
  const of = ({ inputs, targets }: Dataset, count: number) => ({
    x: mul(inputs.slice([{ stop: count }]), 1 / 16),
    y: targets.slice([{ stop: count }]),
  });
  return { train: of(parts.train as Dataset, train), test: of(parts.test as Dataset, test) };
}

/** Batches in a random order. */
export function batchesOf({ x, y }: Images, size: number) {
  return function* (_epoch: number, rng: Rng): Iterable<Images> {
    const order = rng.permutation(x.shape[0]);
    for (let from = 0; from + size <= x.shape[0]; from += size) {
      const rows = order.slice([{ start: from, stop: from + size }]);
      yield { x: take(x, rows, 0), y: take(y, rows, 0) };
    }
  };
}

/** Parameters of the neural ODE of the claims: f = Dense(65, 40, tanh), Dense(41, 64), head Dense(64, 10). */
export interface OdeParameters {
  readonly inner: Dense;
  readonly outer: Dense;
  readonly head: Dense;
}

const odeRate = (t: Tensor, z: Tensor, { inner, outer }: OdeParameters) =>
  through(outer, withTime(t, tanh(through(inner, withTime(t, z)))));

/** How often a class is the right one. */
function accuracyOf(logits: Tensor, y: Tensor): number {
  const found = logits.argMax({ axis: 1 }).data();
  const right = y.data();
  let count = 0;
  for (let i = 0; i < right.length; i++) if (found[i] === right[i]) count++;
  return count / right.length;
}

/** What training gives. */
export interface Trained {
  /** Evaluations to predict the test images as one batch. */
  readonly evaluations: number;
  /** Part of the test images that is recognised. */
  readonly accuracy: number;
  /** Mean evaluations of a solve in training. */
  readonly trainingEvaluations: number;
}

/** How much is trained. */
export interface Effort {
  /** Images to learn from. */
  readonly train: number;
  /** Images to judge by. */
  readonly test: number;
  /** Images of one update. */
  readonly batch: number;
  /** Passes. */
  readonly epochs: number;
}

type OdeVariant = Pick<FitOdeOptions<OdeParameters>, "regularize" | "lambda" | "steer" | "aggregate">;

/** Trains a neural ODE on the digits. */
export async function trainOde(
  method: typeof fitOde,
  seed: string,
  effort: Effort,
  variant: OdeVariant,
  signal?: AbortSignal,
): Promise<Trained> {
  const data = images(effort.train, effort.test);
  const rng = random.rng(`${seed}/weights`);
  const initial: OdeParameters = { inner: dense(rng, 65, 40), outer: dense(rng, 41, 64), head: dense(rng, 64, 10) };
  const { params, history } = await method(
    {
      rate: odeRate,
      initial: (_, { x }: Images) => x,
      loss: ({ head }: OdeParameters, { y: z }, { y }: Images) => crossEntropy(through(head, z), y),
    },
    initial,
    batchesOf(data.train, effort.batch),
    {
      optimizer: adam({ learningRate: 5e-3 }),
      epochs: effort.epochs,
      seed,
      maxSteps: 64,
      ...variant,
      ...(signal && { signal }),
    },
  );
  const predict = jitSync((p: OdeParameters, x: Tensor) => {
    const { y, evaluations } = integrate(odeRate, x, [0, 1], {
      parameters: p,
      relativeTolerance: 1e-6,
      absoluteTolerance: 1e-6,
      adjoint: "none",
    });
    return { logits: through(p.head, y), evaluations };
  });
  const { logits, evaluations } = predict(params, data.test.x);
  predict.release();
  const spent = history.map(({ figures }) => figures?.evaluations ?? 0);
  return {
    evaluations: evaluations.item(),
    accuracy: accuracyOf(logits, data.test.y),
    trainingEvaluations: spent.reduce((a, b) => a + b, 0) / spent.length,
  };
}

/** Parameters of the neural SDE of the claims. */
interface SdeParameters {
  readonly encoder: Dense;
  readonly inner: Dense;
  readonly outer: Dense;
  readonly noise: Dense;
  readonly head: Dense;
}

type SdeVariant = Pick<FitSdeOptions<SdeParameters>, "regularize" | "lambda" | "method">;

const sdeDrift = (_t: Tensor, u: Tensor, { inner, outer }: SdeParameters) => through(outer, tanh(through(inner, u)));
const sdeDiffusion = (_t: Tensor, u: Tensor, { noise }: SdeParameters) => through(noise, u);

/** Trains a neural SDE on the digits. */
export async function trainSde(
  method: typeof fitSde,
  seed: string,
  effort: Effort,
  variant: SdeVariant,
  signal?: AbortSignal,
): Promise<Trained> {
  const data = images(effort.train, effort.test);
  const rng = random.rng(`${seed}/weights`);
  const initial: SdeParameters = {
    encoder: dense(rng, 64, 16),
    inner: dense(rng, 16, 32),
    outer: dense(rng, 32, 16),
    noise: dense(rng, 16, 16),
    head: dense(rng, 16, 10),
  };
  const options = { tolerance: 0.14, initialStep: 0.05 };
  const { params, history } = await method(
    {
      drift: sdeDrift,
      diffusion: sdeDiffusion,
      initial: ({ encoder }: SdeParameters, { x }: Images) => through(encoder, x),
      loss: ({ head }: SdeParameters, { y: z }, { y }: Images) => crossEntropy(through(head, z), y),
    },
    initial,
    batchesOf(data.train, effort.batch),
    {
      ...options,
      optimizer: adam({ learningRate: 0.01 }),
      epochs: effort.epochs,
      seed,
      ...variant,
      ...(signal && { signal }),
    },
  );
  const solver = makeSdeSolver<Tensor, SdeParameters>(sdeDrift, sdeDiffusion);
  const start = through(params.encoder, data.test.x);
  let logits: Tensor | undefined;
  let evaluations = 0;
  const trajectories = 10;
  for (let k = 0; k < trajectories; k++) {
    const { end, evaluations: spent } = await solver.solve(start, [0, 1], {
      parameters: params,
      relativeTolerance: options.tolerance,
      absoluteTolerance: options.tolerance,
      initialStep: options.initialStep,
      seed: `${seed}/test/${k}`,
      ...(variant.method && { method: variant.method }),
    });
    const one = through(params.head, end.y);
    logits = logits === undefined ? one : add(logits, one);
    evaluations += spent / trajectories;
  }
  solver.release();
  const spent = history.map(({ evaluations: each }) => each);
  return {
    evaluations,
    accuracy: accuracyOf(logits as Tensor, data.test.y),
    trainingEvaluations: spent.reduce((a, b) => a + b, 0) / spent.length,
  };
}
