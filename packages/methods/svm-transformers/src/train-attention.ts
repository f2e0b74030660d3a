import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  add,
  asTensor,
  checkOptions,
  div,
  jit,
  matmul,
  mean,
  mul,
  NonFiniteError,
  random,
  requireChoice,
  requireInteger,
  requireObject,
  requirePositive,
  scan,
  softmax,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  transpose,
  ValueError,
  valueAndGrad,
  zeros,
} from "@offprint/tensor-core";
import { type AttentionWeights, lossOf, maskedScores, pooledTokens, readWeights } from "./attention.js";
import { type AttentionExamples, type ReadExamples, readExamples } from "./examples.js";
import { type Head, type LossName, readHead } from "./heads.js";

/** What is trained. */
export type TrainedWeights = { readonly w: Tensor } | { readonly k: Tensor; readonly q: Tensor };

/** The state of training after some steps. */
export interface AttentionRecord {
  /** Steps made. */
  readonly step: number;
  /** Mean loss. */
  readonly loss: number;
  /** ||W||_F, which grows for ever. */
  readonly norm: number;
  /** The least attention that a selected token (the one with the most) has in any example. */
  readonly concentration: number;
}

/** Where a training stands, as a tree. */
export interface AttentionState {
  /** W, or K and Q. */
  readonly weights: TrainedWeights;
  /** Steps made. */
  readonly steps: number;
  /** The last record's figures; null before the first. */
  readonly figures: Omit<AttentionRecord, "step"> | null;
}

/** Options of `trainAttention`. */
export interface TrainAttentionOptions extends RunOptions<AttentionRecord, RunState<AttentionState, AttentionRecord>> {
  /** h. */
  readonly head: Head;
  /** `"w"` trains W, `"kq"` K and Q with W = K Q^T. Default `"w"`. */
  readonly parameters?: "w" | "kq";
  /** m, the columns of K and Q. Default d. */
  readonly rank?: number;
  /** l. Default `"logistic"`. */
  readonly loss?: LossName;
  /** eta > 0. Default 0.1. */
  readonly learningRate?: number;
  /** Whether gradients are divided by their norm, K's and Q's each by its own. Default `true`. */
  readonly normalized?: boolean;
  /** Most steps. Default 2000. */
  readonly steps?: number;
  /** Steps of one record, which are one compiled call. Default a hundredth of the steps. */
  readonly recordEvery?: number;
  /** W, or { k, q }, to begin from. Default uniform in [-1, 1] / sqrt(d), by `seed`. */
  readonly initial?: AttentionWeights | "zero";
  /** Default 0. */
  readonly seed?: number | string;
}

/** A trained layer. */
export interface TrainedAttention {
  /** W, `[d, d]`. */
  readonly w: Tensor;
  /** K, `[d, m]`, where it was trained. */
  readonly k: Tensor | undefined;
  /** Q, `[d, m]`, where it was trained. */
  readonly q: Tensor | undefined;
  /** What attention gives every token, `[n, T]`. */
  readonly attention: Tensor;
  /** The token with the most attention in each example. */
  readonly selected: readonly number[];
  /** How it ended: weights grow for ever, it never converges. */
  readonly status: Exclude<Status, "converged">;
  /** Steps made. */
  readonly steps: number;
  /** The records. */
  readonly history: readonly AttentionRecord[];
  /** To go on from, with `resume`. */
  readonly state: RunState<AttentionState, AttentionRecord>;
}

const optionNames = [
  "head",
  "parameters",
  "rank",
  "loss",
  "learningRate",
  "normalized",
  "steps",
  "recordEvery",
  "initial",
  "seed",
  ...runOptionNames,
] as const satisfies readonly (keyof TrainAttentionOptions)[];

/** Keeps a gradient of 0 from being divided by 0, and K and Q from growing without one. */
const TINY = 2.2e-16;

/** W of what is trained. */
export function weightOf(weights: TrainedWeights): Tensor {
  return "w" in weights ? weights.w : matmul(weights.k, transpose(weights.q));
}

/**
 * (Normalised) gradient descent on one softmax attention layer with a fixed head:
 * `1/n sum_i l(Y_i h(X_i^T softmax(X_i W z_i)))`.
 *
 * @throws ShapeError, ValueError for what does not fit; NonFiniteError, with the last good state, where it diverges.
 * @example
 * const { w, selected } = await trainAttention(examples, { head: { kind: "linear", v }, parameters: "kq" });
 */
export async function trainAttention(
  examples: AttentionExamples,
  options: TrainAttentionOptions,
): Promise<TrainedAttention> {
  requireObject("trainAttention", "examples", examples, "AttentionExamples");
  const owner = "trainAttention";
  checkOptions(owner, options, optionNames, ["head"]);
  const {
    parameters = "w",
    loss = "logistic",
    learningRate = 0.1,
    normalized = true,
    steps = 2000,
    seed = 0,
  } = options;
  requireChoice(owner, "parameters", parameters, ["w", "kq"]);
  requirePositive(owner, "learningRate", learningRate);
  requireInteger(owner, "steps", steps, 0);
  const recordEvery = options.recordEvery ?? Math.max(1, Math.floor(steps / 100));
  requireInteger(owner, "recordEvery", recordEvery, 1);
  const read = readExamples(owner, examples);
  const { dimension: d, labels } = read;
  const head = readHead(owner, options.head, d);
  const of = lossOf(owner, loss);
  const objective = (weights: TrainedWeights) => {
    const s = softmax(maskedScores(weightOf(weights), read), 1);
    const value = mean(of(mul(labels, head(pooledTokens(s, read.tokens)))));
    if ("w" in weights) return value;
    return add(value, mul(add(sum(square(weights.k)), sum(square(weights.q))), TINY));
  };
  const move = (x: Tensor, slope: Tensor) => {
    const direction = normalized ? div(slope, add(sqrt(sum(square(slope))), TINY)) : slope;
    return sub(x, mul(direction, learningRate));
  };
  const once = (weights: TrainedWeights): TrainedWeights => {
    const [, slope] = valueAndGrad(objective)(weights);
    if ("w" in weights && "w" in slope) return { w: move(weights.w, slope.w) };
    if ("k" in weights && "k" in slope) return { k: move(weights.k, slope.k), q: move(weights.q, slope.q) };
    throw new Error("weights and their gradient are of two kinds");
  };
  const several = (length: number) =>
    jit((weights: TrainedWeights) => {
      const [last] = scan((state: TrainedWeights): [TrainedWeights, null] => [once(state), null], weights, null, {
        length,
      });
      const w = weightOf(last);
      const s = softmax(maskedScores(w, read), 1);
      const value = mean(of(mul(labels, head(pooledTokens(s, read.tokens)))));
      return { last, loss: value, norm: sqrt(sum(square(w))), concentration: s.max(1).min() };
    });
  const compiled = new Map<number, ReturnType<typeof several>>();
  const run = await runLoop<AttentionState, AttentionRecord, never>(
    {
      owner,
      limit: steps,
      limitName: "steps",
      initial: () => ({ weights: startOf(owner, read, parameters, options, seed), steps: 0, figures: null }),
      async step({ weights, steps: done }) {
        const length = Math.min(recordEvery, steps - done);
        const program = compiled.get(length) ?? several(length);
        compiled.set(length, program);
        const { last, loss: value, norm, concentration } = await program(weights);
        const figures = { loss: value.item(), norm: norm.item(), concentration: concentration.item() };
        if (!Number.isFinite(figures.loss + figures.norm)) {
          throw new NonFiniteError("the weights left the range of numbers; lower learningRate");
        }
        return { weights: last, steps: done + length, figures };
      },
      count: ({ steps: done }) => done,
      record: ({ figures }, step) => (figures === null ? undefined : { step, ...figures }),
      check({ weights }) {
        const given = weightOf(weights);
        if ("w" in weights === (parameters === "w") && given.shape.join() === `${d},${d}`) return;
        throw new ValueError(
          `${owner}: resume is no state of ${parameters === "w" ? "W" : "K and Q"} in ${d} dimensions`,
        );
      },
    },
    options,
  );
  const { status, iterations, history, last, state } = run;
  const w = weightOf(last.weights);
  const s = softmax(maskedScores(w, read), 1);
  return {
    w,
    k: "k" in last.weights ? last.weights.k : undefined,
    q: "q" in last.weights ? last.weights.q : undefined,
    attention: s,
    selected: [...s.argMax(1).data()],
    ...{ status, steps: iterations, history, state },
  };
}

function startOf(
  owner: string,
  read: ReadExamples,
  parameters: "w" | "kq",
  options: TrainAttentionOptions,
  seed: number | string,
): TrainedWeights {
  const { dimension: d } = read;
  const { rank = d, initial } = options;
  requireInteger(owner, "rank", rank, 1, d);
  const rng = random.rng(seed);
  const draw = (columns: number) =>
    mul(sub(mul(rng.uniform([d, columns], { dtype: "float64" }), 2), 1), 1 / Math.sqrt(d));
  if (initial === "zero") {
    if (parameters === "kq")
      throw new ValueError(
        `${owner}: initial must be { k, q } that are not 0, where the gradient vanishes; leave it out to draw them`,
      );
    return { w: zeros([d, d], "float64") };
  }
  if (parameters === "w") return { w: initial === undefined ? draw(d) : readWeights(owner, initial, d) };
  if (initial === undefined) return { k: draw(rank), q: draw(rank) };
  if (typeof initial !== "object" || !("k" in initial && "q" in initial))
    throw new ValueError(
      `${owner}: initial must be { k, q } that are not 0, where the gradient vanishes; leave it out to draw them`,
    );
  readWeights(owner, initial, d);
  return { k: asTensor(initial.k, "float64"), q: asTensor(initial.q, "float64") };
}
