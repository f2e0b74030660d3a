import { type ClaimContext, memo } from "@offprint/claims";
import { trainTestSplit } from "@offprint/data";
import { digits } from "@offprint/datasets";
import { integrate } from "@offprint/ode";
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
import type { FitLocallyOptions } from "../src/index.js";
import type { Method } from "./method.js";

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
  /** Trainings of each kind. */
  readonly runs: number;
}

/** How much, at either scale. */
export const efforts: Record<ClaimContext["scale"], Effort> = {
  quick: { train: 600, test: 597, batch: 20, epochs: 4, runs: 1 },
  full: { train: 1200, test: 597, batch: 100, epochs: 14, runs: 2 },
};

/** What a training comes to. */
export interface Outcome {
  readonly evaluations: number;
  readonly accuracy: number;
}

/** What trainings differ in. */
export type Variant = Pick<FitLocallyOptions<Layers>, "mode" | "lambda" | "regularize" | "localStep">;

/** Weights of the model. */
export type Layers = { readonly [name in "w1" | "b1" | "w2" | "b2" | "w3" | "b3"]: Tensor };
type Batch = { readonly x: Tensor; readonly y: Tensor };

const withTime = (t: Tensor, z: Tensor) => concatenate([z, broadcastTo(reshape(t, [1, 1]), [z.shape[0], 1])], 1);
/** The dynamics of the claims. */
export const rate = (t: Tensor, z: Tensor, { w1, b1, w2, b2 }: Layers) =>
  add(matmul(withTime(t, tanh(add(matmul(withTime(t, z), w1), b1))), w2), b2);
const head = (z: Tensor, { w3, b3 }: Layers) => add(matmul(z, w3), b3);

/** Glorot's uniform weights. */
export function draw(rng: Rng): Layers {
  const glorot = (rows: number, columns: number) =>
    mul(rng.uniform([rows, columns], { low: -1, high: 1, dtype: "float64" }), Math.sqrt(6 / (rows + columns)));
  const none = (size: number) => zeros([size], "float64");
  return { w1: glorot(65, 40), b1: none(40), w2: glorot(41, 64), b2: none(64), w3: glorot(64, 10), b3: none(10) };
}

/** The digits in [0, 1], and those held out. */
export function images(test: number): Batch & { readonly test: Batch } {
  const whole = trainTestSplit(digits({ dtype: "float64" }), { test, rng: random.rng("digits") });
  const of = ({ inputs, targets }: { inputs: Tensor; targets: Tensor }) => ({ x: mul(inputs, 1 / 16), y: targets });
  return { ...of(whole.train), test: of(whole.test) };
}

/** Trains on the digits, and predicts the images held out as one batch; once for all claims that look at it. */
export const trained = memo(
  (context: ClaimContext, method: Method, name: string, effort: Effort, variant: Variant): Promise<Outcome> =>
    train(method, name, effort, variant, context.signal),
  (method, name, effort, variant) => [method, name, JSON.stringify([effort, variant])],
);

async function train(
  method: Method,
  name: string,
  effort: Effort,
  variant: Variant,
  signal: AbortSignal,
): Promise<Outcome> {
  const { x, y, test } = images(effort.test);
  const { params } = await method.fitLocally(
    {
      rate,
      initial: (_: Layers, batch: Batch) => batch.x,
      loss: (p: Layers, { y: z }: { y: Tensor }, batch: Batch) => crossEntropy(head(z, p), batch.y),
    },
    draw(random.rng(`${name}/weights`)),
    function* (_, rng) {
      const order = rng.permutation(effort.train);
      for (let from = 0; from + effort.batch <= effort.train; from += effort.batch) {
        const rows = order.slice([{ start: from, stop: from + effort.batch }]);
        yield { x: take(x, rows, 0), y: take(y, rows, 0) };
      }
    },
    {
      optimizer: adam({ learningRate: 5e-3 }),
      epochs: effort.epochs,
      seed: name,
      maxSteps: 64,
      adjoint: "discrete",
      signal,
      ...variant,
    },
  );
  const predict = jitSync((p: Layers, images: Tensor) => {
    const solved = integrate(rate, images, [0, 1], {
      parameters: p,
      relativeTolerance: 1e-6,
      absoluteTolerance: 1e-6,
      adjoint: "none",
    });
    return { found: head(solved.y, p).argMax({ axis: 1 }), evaluations: solved.evaluations };
  });
  const { found, evaluations } = predict(params, test.x);
  predict.release();
  const [answers, right] = [found.data(), test.y.data()];
  let count = 0;
  for (let i = 0; i < right.length; i++) if (answers[i] === right[i]) count++;
  return { evaluations: evaluations.item(), accuracy: count / right.length };
}
