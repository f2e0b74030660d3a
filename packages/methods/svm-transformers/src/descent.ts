import {
  add,
  div,
  jit,
  matmul,
  mean,
  mul,
  scan,
  softmax,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  transpose,
  valueAndGrad,
} from "@offprint/tensor-core";
import { lossOf, maskedScores, pooledTokens } from "./attention.js";
import type { ReadExamples } from "./examples.js";
import type { LossName, ReadHead } from "./heads.js";

/** What is trained. */
export type TrainedWeights = { readonly w: Tensor } | { readonly k: Tensor; readonly q: Tensor };

/** W of what is trained. */
export function weightOf(weights: TrainedWeights): Tensor {
  return "w" in weights ? weights.w : matmul(weights.k, transpose(weights.q));
}

/** What one layer is trained on: examples and the weights of the head. */
export interface DescentData extends Pick<ReadExamples, "tokens" | "queries" | "labels" | "mask"> {
  /** v or V of the head. */
  readonly v: Tensor;
}

/** Keeps a gradient of 0 from being divided by 0, and K and Q from growing without one. */
const TINY = 2.2e-16;

/** How the weights move. */
export interface DescentOptions {
  readonly owner: string;
  readonly predict: ReadHead["predict"];
  readonly loss: LossName;
  readonly learningRate: number;
  readonly normalized: boolean;
}

/** @internal (Normalised) gradient descent: one step, and what is reported of the weights. */
export function descent({ owner, predict, loss, learningRate, normalized }: DescentOptions) {
  const of = lossOf(owner, loss);
  const lossAt = (weights: TrainedWeights, data: DescentData) => {
    const s = softmax(maskedScores(weightOf(weights), data), 1);
    return { s, value: mean(of(mul(data.labels, predict(pooledTokens(s, data.tokens), data.v)))) };
  };
  const objective = (weights: TrainedWeights, data: DescentData) => {
    const { value } = lossAt(weights, data);
    if ("w" in weights) return value;
    return add(value, mul(add(sum(square(weights.k)), sum(square(weights.q))), TINY));
  };
  const move = (x: Tensor, slope: Tensor) => {
    const direction = normalized ? div(slope, add(sqrt(sum(square(slope))), TINY)) : slope;
    return sub(x, mul(direction, learningRate));
  };
  return {
    step(weights: TrainedWeights, data: DescentData): TrainedWeights {
      const [, slope] = valueAndGrad((x: TrainedWeights) => objective(x, data))(weights);
      if ("w" in weights && "w" in slope) return { w: move(weights.w, slope.w) };
      if ("k" in weights && "k" in slope) return { k: move(weights.k, slope.k), q: move(weights.q, slope.q) };
      throw new Error("weights and their gradient are of two kinds");
    },
    figures(weights: TrainedWeights, data: DescentData) {
      const { s, value } = lossAt(weights, data);
      return { loss: value, norm: sqrt(sum(square(weightOf(weights)))), concentration: s.max(1).min() };
    },
  };
}

/** @internal Compiled runs of so many steps, kept by their number. */
export function compiledRuns<Figures extends Record<string, Tensor>>(
  step: (weights: TrainedWeights) => TrainedWeights,
  figures: (weights: TrainedWeights) => Figures,
): (length: number) => (weights: TrainedWeights) => Promise<{ last: TrainedWeights; figures: Figures }> {
  const several = (length: number) =>
    jit((weights: TrainedWeights) => {
      const [last] = scan((state: TrainedWeights): [TrainedWeights, null] => [step(state), null], weights, null, {
        length,
      });
      return { last, figures: figures(last) };
    });
  const compiled = new Map<number, ReturnType<typeof several>>();
  return (length) => {
    const program = compiled.get(length) ?? several(length);
    compiled.set(length, program);
    return program;
  };
}
