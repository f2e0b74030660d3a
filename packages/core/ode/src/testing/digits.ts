import { type Dataset, trainTestSplit } from "@offprint/data";
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
import type { OdeModel, SdeModel } from "../fit/index.js";
import { integrate } from "../integrate.js";
import { makeSdeSolver } from "../sde/solve-sde.js";
import type { StochasticMethodName } from "../sde/stochastic-options.js";

/** A layer. */
export interface Dense {
  /** Weights, `[inputs, outputs]`. */
  readonly w: Tensor;
  /** `[outputs]`. */
  readonly b: Tensor;
}

/** Glorot's uniform weights. */
function dense(rng: Rng, inputs: number, outputs: number): Dense {
  const bound = Math.sqrt(6 / (inputs + outputs));
  const w = mul(rng.uniform([inputs, outputs], { low: -1, high: 1, dtype: "float64" }), bound);
  return { w, b: zeros([outputs], "float64") };
}

const through = ({ w, b }: Dense, x: Tensor) => add(matmul(x, w), b);

/** A batch of images and their digits. */
export interface Images {
  /** Pixels, `[images, 64]`. */
  readonly x: Tensor;
  /** Digits, `[images]`. */
  readonly y: Tensor;
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

/** What a training comes to. */
export interface Outcome {
  /** Evaluations to predict the test images. */
  readonly evaluations: number;
  /** Part of the test images that is recognised. */
  readonly accuracy: number;
}

/**
 * `digits` of `@offprint/datasets`, in float64, as numbers in [0, 1], split: those to learn from, in batches of a random order,
 * and those to judge by.
 */
export function digitImages(digits: Dataset, { train, test, batch }: Pick<Effort, "train" | "test" | "batch">) {
  const parts = trainTestSplit(digits, { test, rng: random.rng("digits") });
  const of = ({ inputs, targets }: Dataset, count: number): Images => ({
    x: mul(inputs.slice([{ stop: count }]), 1 / 16),
    y: targets.slice([{ stop: count }]),
  });
  const { x, y } = of(parts.train as Dataset, train);
  return {
    train: { x, y },
    test: of(parts.test as Dataset, test),
    *batches(_epoch: number, rng: Rng): Iterable<Images> {
      const order = rng.permutation(train);
      for (let from = 0; from + batch <= train; from += batch) {
        const rows = order.slice([{ start: from, stop: from + batch }]);
        yield { x: take(x, rows, 0), y: take(y, rows, 0) };
      }
    },
  };
}

/** How often a class is the right one. */
function accuracyOf(logits: Tensor, y: Tensor): number {
  const found = logits.argMax({ axis: 1 }).data();
  const right = y.data();
  let count = 0;
  for (let i = 0; i < right.length; i++) if (found[i] === right[i]) count++;
  return count / right.length;
}

/** The neural ODE: f = Dense(65, 40, tanh), Dense(41, 64) with the time appended to each input, head Dense(64, 10). */
export interface DigitsOdeParameters {
  /** To the hidden layer. */
  readonly inner: Dense;
  /** Back to states. */
  readonly outer: Dense;
  /** To the logits. */
  readonly head: Dense;
}

const withTime = (t: Tensor, x: Tensor) => concatenate([x, broadcastTo(reshape(t, [1, 1]), [x.shape[0], 1])], 1);

const rate = (t: Tensor, z: Tensor, { inner, outer }: DigitsOdeParameters) =>
  through(outer, withTime(t, tanh(through(inner, withTime(t, z)))));

const tolerances = { relativeTolerance: 1e-6, absoluteTolerance: 1e-6 };

const predict = jitSync((parameters: DigitsOdeParameters, x: Tensor) => {
  const { y, evaluations } = integrate(rate, x, [0, 1], { parameters, ...tolerances, adjoint: "none" });
  return { logits: through(parameters.head, y), evaluations };
});

/** A neural ODE of the digits, trained by Adam with a step of 0.005. */
export const digitsOde = {
  /** Its rate, initial states and loss. */
  model: {
    rate,
    initial: (_, { x }) => x,
    loss: ({ head }, { y: z }, { y }) => crossEntropy(through(head, z), y),
  } satisfies OdeModel<DigitsOdeParameters, Tensor, Images>,
  /** First weights. */
  initial: (rng: Rng): DigitsOdeParameters => ({
    inner: dense(rng, 65, 40),
    outer: dense(rng, 41, 64),
    head: dense(rng, 64, 10),
  }),
  /** How it is trained. */
  options: ({ epochs }: Pick<Effort, "epochs">, seed: string) => ({
    optimizer: adam({ learningRate: 5e-3 }),
    epochs,
    seed,
    maxSteps: 64,
  }),
  /** Predicts images as one batch at the tolerance of training. */
  judge(parameters: DigitsOdeParameters, { x, y }: Images): Outcome {
    const { logits, evaluations } = predict(parameters, x);
    return { evaluations: evaluations.item(), accuracy: accuracyOf(logits, y) };
  },
};

/** The neural SDE: Dense(64, 16), drift 16, 32 (tanh), 16, noise Dense(16, 16), head Dense(16, 10). */
export interface DigitsSdeParameters {
  /** From pixels to states. */
  readonly encoder: Dense;
  /** To the hidden layer. */
  readonly inner: Dense;
  /** Back to states. */
  readonly outer: Dense;
  /** Of the factors of the noise. */
  readonly noise: Dense;
  /** To the logits. */
  readonly head: Dense;
}

const drift = (_t: Tensor, u: Tensor, { inner, outer }: DigitsSdeParameters) => through(outer, tanh(through(inner, u)));
const diffusion = (_t: Tensor, u: Tensor, { noise }: DigitsSdeParameters) => through(noise, u);

/** Solves of a stochastic model: tolerance and first step. */
const stepping = { tolerance: 0.14, initialStep: 0.05 };

const trajectories = makeSdeSolver<Tensor, DigitsSdeParameters>(drift, diffusion);

/** Trajectories that a prediction is the mean of. */
const TRAJECTORIES = 10;

/** A neural SDE of the digits, trained by Adam with a step of 0.01 along one trajectory. */
export const digitsSde = {
  /** Its drift, noise, initial states and loss. */
  model: {
    drift,
    diffusion,
    initial: ({ encoder }, { x }) => through(encoder, x),
    loss: ({ head }, { y: z }, { y }) => crossEntropy(through(head, z), y),
  } satisfies SdeModel<DigitsSdeParameters, Images> as SdeModel<DigitsSdeParameters, Images>,
  /** First weights. */
  initial: (rng: Rng): DigitsSdeParameters => ({
    encoder: dense(rng, 64, 16),
    inner: dense(rng, 16, 32),
    outer: dense(rng, 32, 16),
    noise: dense(rng, 16, 16),
    head: dense(rng, 16, 10),
  }),
  /** How it is trained. */
  options: ({ epochs }: Pick<Effort, "epochs">, seed: string) => ({
    ...stepping,
    optimizer: adam({ learningRate: 0.01 }),
    epochs,
    seed,
  }),
  /** Predicts images as one batch: the mean of ten trajectories. */
  async judge(
    parameters: DigitsSdeParameters,
    { x, y }: Images,
    seed: string,
    method: StochasticMethodName = "sosri",
  ): Promise<Outcome> {
    const start = through(parameters.encoder, x);
    let logits: Tensor | undefined;
    let evaluations = 0;
    for (let k = 0; k < TRAJECTORIES; k++) {
      const solved = await trajectories.solve(start, [0, 1], {
        method,
        parameters,
        relativeTolerance: stepping.tolerance,
        absoluteTolerance: stepping.tolerance,
        initialStep: stepping.initialStep,
        seed: `${seed}/test/${k}`,
      });
      const one = through(parameters.head, solved.end.y);
      logits = logits === undefined ? one : add(logits, one);
      evaluations += solved.evaluations / TRAJECTORIES;
    }
    return { evaluations, accuracy: accuracyOf(logits as Tensor, y) };
  },
};
