import {
  add,
  cast,
  div,
  equal,
  expandDims,
  jit,
  logSumExp,
  matmul,
  mean,
  mul,
  scan,
  softmax,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  transpose,
  valueAndGrad,
  where,
} from "@offprint/tensor-core";
import { logLossOf, lossOf, maskedScores, pooledTokens } from "./attention.js";
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
  /** eta, a scalar. */
  readonly rate: Tensor;
  /** Size of tokens times that of queries, a scalar. */
  readonly unit: Tensor;
}

/** Beside the norms of the gradients of K and Q, and the weight of their squares in the loss. */
const TINY = 2.2e-16;

/** How the weights move. */
export interface DescentOptions {
  readonly owner: string;
  readonly predict: ReadHead["predict"];
  readonly loss: LossName;
  readonly normalized: boolean;
}

/**
 * @internal (Normalised) gradient descent: one step, and what is reported of the weights.
 *
 * K and Q have the paper's constants, in the unit of the data: their product grows as the square of the steps, and they have to
 * come to rest where attention is concentrated, or steps along single constraints turn them away. W goes on: its gradient has
 * its digits down to 1e-300.
 */
export function descent({ owner, predict, loss, normalized }: DescentOptions) {
  const of = lossOf(owner, loss);
  const logOf = normalized ? logLossOf(loss) : null;
  const marginsAt = (weights: TrainedWeights, data: DescentData) => {
    const s = softmax(maskedScores(weightOf(weights), data), 1);
    return { s, margins: mul(data.labels, predict(pooledNear(s, data.tokens), data.v)) };
  };
  // of the same direction as the loss, and of the unit 1 where every example is nearly right
  const objective = (weights: TrainedWeights, data: DescentData) => {
    const { margins } = marginsAt(weights, data);
    const value = logOf === null ? mean(of(margins)) : logSumExp(logOf(margins), 0);
    if ("w" in weights) return value;
    return add(value, mul(add(sum(square(weights.k)), sum(square(weights.q))), mul(data.unit, TINY)));
  };
  const move = (x: Tensor, slope: Tensor, rate: Tensor) => sub(x, mul(slope, rate));
  return {
    step(weights: TrainedWeights, data: DescentData): TrainedWeights {
      const [, slope] = valueAndGrad((x: TrainedWeights) => objective(x, data))(weights);
      if ("w" in weights && "w" in slope) {
        return { w: move(weights.w, normalized ? unitOf(slope.w) : slope.w, data.rate) };
      }
      if ("k" in weights && "k" in slope) {
        const least = mul(sqrt(data.unit), TINY);
        const along = (x: Tensor) => (normalized ? div(x, add(sqrt(sum(square(x))), least)) : x);
        return { k: move(weights.k, along(slope.k), data.rate), q: move(weights.q, along(slope.q), data.rate) };
      }
      throw new Error("weights and their gradient are of two kinds");
    },
    figures(weights: TrainedWeights, data: DescentData) {
      const { s, margins } = marginsAt(weights, data);
      return { loss: mean(of(margins)), norm: sqrt(sum(square(weightOf(weights)))), concentration: s.max(1).min() };
    },
  };
}

/**
 * Pooled tokens as the selected one and differences to it, so that the derivatives by the scores keep their digits where
 * attention has selected a token and all of them are small.
 */
function pooledNear(s: Tensor, tokens: Tensor): Tensor {
  const most = cast(equal(s, expandDims(s.max(1), 1)), "float64");
  const selected = pooledTokens(stopGradient(div(most, expandDims(sum(most, 1), 1))), tokens);
  return add(selected, pooledTokens(s, sub(tokens, expandDims(selected, 1))));
}

/** x / ||x||, and 0 for 0; scaled first, so that no square vanishes. */
function unitOf(x: Tensor): Tensor {
  const orOne = (size: Tensor) => where(equal(size, 0), 1, size);
  const scaled = div(x, orOne(x.abs().max()));
  return div(scaled, orOne(sqrt(sum(square(scaled)))));
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
