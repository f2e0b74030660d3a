import {
  type RunOptions,
  type RunState,
  requireStateLike,
  runLoop,
  runOptionNames,
  type Status,
} from "@offprint/solvers";
import {
  asTensor,
  checkOptions,
  mul,
  NonFiniteError,
  random,
  requireChoice,
  requireInteger,
  requireObject,
  requirePositive,
  softmax,
  square,
  sub,
  type Tensor,
  ValueError,
  zeros,
} from "@offprint/tensor-core";
import { type AttentionWeights, maskedScores, readWeights } from "./attention.js";
import { compiledRuns, descent, type TrainedWeights, weightOf } from "./descent.js";
import { type AttentionExamples, type ReadExamples, readExamples } from "./examples.js";
import { type Head, type LossName, readHead } from "./heads.js";

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
export interface AttentionLayer {
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
}

/** A trained layer, and how it came about. */
export interface TrainedAttention extends AttentionLayer {
  /** How it ended: weights grow for ever, it never converges. */
  readonly status: Exclude<Status, "converged">;
  /** Steps made. */
  readonly steps: number;
  /** The records. */
  readonly history: readonly AttentionRecord[];
  /** To go on from, with `resume`. */
  readonly state: RunState<AttentionState, AttentionRecord>;
}

/** @internal Names of the options of training. */
export const optionNames = [
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
  const { parameters, loss, learningRate, normalized, steps, seed, recordEvery } = readSettings(owner, options);
  const read = readExamples(owner, examples);
  requireTrainable(owner, read, { normalized, learningRate });
  const { dimension: d } = read;
  const { v, predict } = readHead(owner, options.head, d);
  const { step: once, figures: figuresOf } = descent({ owner, predict, loss, learningRate, normalized });
  const data = { ...read, v };
  const several = compiledRuns(
    (weights) => once(weights, data),
    (weights) => figuresOf(weights, data),
  );
  const run = await runLoop<AttentionState, AttentionRecord, never>(
    {
      owner,
      limit: steps,
      limitName: "steps",
      initial() {
        const weights = startOf(owner, read, parameters, options, seed);
        if (options.initial === undefined) {
          const first = figuresOf(weights, data);
          requireSlope(owner, loss, { loss: first.loss.item(), concentration: first.concentration.item() });
        }
        return { weights, steps: 0, figures: null };
      },
      async step({ weights, steps: done }) {
        const length = Math.min(recordEvery, steps - done);
        const { last, figures: found } = await several(length)(weights);
        const figures = {
          loss: found.loss.item(),
          norm: found.norm.item(),
          concentration: found.concentration.item(),
        };
        if (!Number.isFinite(figures.loss + figures.norm)) {
          throw new NonFiniteError("the weights left the range of numbers; lower learningRate");
        }
        return { weights: last, steps: done + length, figures };
      },
      count: ({ steps: done }) => done,
      record: ({ figures }, step) => (figures === null ? undefined : { step, ...figures }),
      check: (state) =>
        requireStateLike(owner, state, { weights: startOf(owner, read, parameters, options, seed), steps: 0 }),
    },
    options,
  );
  const { status, iterations, history, last, state } = run;
  return { ...layerOf(last.weights, read), status, steps: iterations, history, state };
}

/** @internal How a layer is trained, with the defaults. @throws ValueError */
export function readSettings(
  owner: string,
  options: Omit<TrainAttentionOptions, "head" | "initial" | keyof RunOptions<never, never>>,
) {
  const {
    parameters = "w",
    loss = "logistic",
    learningRate = 0.1,
    normalized = true,
    steps = 2000,
    seed = 0,
  } = options;
  requireChoice(owner, "parameters", parameters, ["w", "kq"]);
  requireChoice(owner, "normalized", normalized, [true, false]);
  requirePositive(owner, "learningRate", learningRate);
  requireInteger(owner, "steps", steps, 0);
  const { recordEvery = Math.max(1, Math.floor(steps / 100)) } = options;
  requireInteger(owner, "recordEvery", recordEvery, 1);
  return { parameters, loss, learningRate, normalized, steps, seed, recordEvery };
}

/** Most that one normalised step may add to a score: after a few of them attention is concentrated to all digits. */
const MOST_STEP = 10;

/**
 * @internal Training is for tokens in ordinary units. Of scores below 1e-8 the gradients are below epsilon, which the paper adds
 * to their norm: W stands still, and K and Q vanish. Scores above 1e8 leave the softmax without a gradient, and so do
 * normalised steps that change them by much.
 * @throws ValueError
 */
export function requireTrainable(
  owner: string,
  { tokens, queries }: ReadExamples,
  { normalized, learningRate }: { readonly normalized: boolean; readonly learningRate: number },
): void {
  const [token, query] = [tokens, queries].map((x) => x.abs().max().item());
  const score = token * query;
  if (!(score > 1e-8 && score < 1e8)) {
    throw new ValueError(
      `${owner}: tokens have numbers up to ${token} and queries up to ${query}, with scores about ${score}, of which training learns ` +
        "nothing; divide both by their size (weights for the tokens as they were are those divided by both sizes)",
    );
  }
  const [longest, longestQuery] = [tokens, queries].map((x) => Math.sqrt(square(x).sum(-1).max().item()));
  const step = learningRate * longest * longestQuery;
  if (!normalized || step <= MOST_STEP) return;
  throw new ValueError(
    `${owner}: a step of learningRate ${learningRate} changes scores by up to ${step.toPrecision(3)}, as tokens have lengths up to ` +
      `${longest.toPrecision(3)} and queries up to ${longestQuery.toPrecision(3)}: attention would be concentrated after a few steps ` +
      "and learn no more; divide tokens and queries by their lengths",
  );
}

/**
 * @internal Whether drawn weights leave something to learn from.
 * @throws ValueError where attention has all digits on one token of every example, or every example is right to all digits.
 */
export function requireSlope(owner: string, loss: LossName, figures: { loss: number; concentration: number }): void {
  const concentrated = figures.concentration >= 1 - 1e-15;
  if (!concentrated && (loss === "linear" || figures.loss > 1e-15)) return;
  const reason = concentrated
    ? "the first weights concentrate attention on one token of every example to all digits"
    : `the loss at the first weights is ${figures.loss}, as tokens or the head are long`;
  throw new ValueError(
    `${owner}: ${reason}, and training would stand still; divide tokens, queries and head by their lengths`,
  );
}

/** @internal A layer with the attention that it gives. */
export function layerOf(weights: TrainedWeights, read: ReadExamples): AttentionLayer {
  const w = weightOf(weights);
  const s = softmax(maskedScores(w, read), 1);
  return {
    w,
    k: "k" in weights ? weights.k : undefined,
    q: "q" in weights ? weights.q : undefined,
    attention: s,
    selected: [...s.argMax(1).data()],
  };
}

/** @internal W, or K and Q, to begin from. */
export function startOf(
  owner: string,
  read: ReadExamples,
  parameters: "w" | "kq",
  options: Pick<TrainAttentionOptions, "rank" | "initial">,
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
