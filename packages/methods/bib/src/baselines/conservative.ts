import { type LinearParams, mlp } from "@offprint/nn";
import { type AdamState, adam, trainingStep } from "@offprint/optim";
import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  add,
  checkOptions,
  div,
  grad,
  jitSync,
  maximum,
  mean,
  mul,
  NonFiniteError,
  random,
  requireInteger,
  requireNonNegative,
  requireObject,
  requirePositive,
  reshape,
  softmax,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { decodeSequences, dna, encodeSequences, hammingDistance } from "../alphabet.js";
import { type OfflineTable, readTable } from "../fit-table.js";

/** What is told of a step. */
export interface ComsRecord {
  /** From 1: first those of training, then those of the ascent. */
  readonly step: number;
  /** Whether the proxy was trained, or the designs ascended. */
  readonly phase: "training" | "ascent";
  /** Training: the squared error. Ascent: the mean prediction, in standard deviations. */
  readonly value: number;
  /** By how much the proxy prefers its own adversaries; in the ascent 0. */
  readonly gap: number;
}

/** Where a run stands. */
export interface ComsPoint {
  /** Of the proxy. */
  readonly params: readonly LinearParams[];
  /** Adam's. */
  readonly optimizerState: AdamState;
  /** alpha, the weight of the gap. */
  readonly weight: Tensor;
  /** The designs, `[B, L, V]`. */
  readonly logits: Tensor;
  /** Of the last step; null before the first. */
  readonly told: Omit<ComsRecord, "step"> | null;
}

/** A state to go on from; a tree. */
export type ComsState = RunState<ComsPoint, ComsRecord>;

/** Options of {@link comsSequences}. */
export interface ComsOptions extends RunOptions<ComsRecord, ComsState> {
  /** Default {@link dna}. */
  readonly alphabet?: readonly string[];
  /** Steps of training the proxy. Default 500. */
  readonly steps?: number;
  /** Steps of the designs after that. Default 50. */
  readonly ascentSteps?: number;
  /** Length of a step of the designs and of the adversaries, in logits. Default 0.5. */
  readonly ascentRate?: number;
  /** Steps of the adversaries in training. Default 5. */
  readonly adversarySteps?: number;
  /** tau: the gap that is allowed, in standard deviations of the scores. Default 0.5. */
  readonly gap?: number;
  /** Width of the proxy's two layers. Default 64. */
  readonly hidden?: number;
  /** Rows of a step of training. Default 128. */
  readonly batchSize?: number;
  /** Of Adam. Default 3e-3. */
  readonly learningRate?: number;
  /** How many of the best to begin with. Default 128. */
  readonly starts?: number;
  /** Decides first weights and batches. Default 0. */
  readonly seed?: number | string;
}

/** What {@link comsSequences} gives. */
export interface ComsResult {
  /** The designs, in the order of the starts. */
  readonly sequences: string[];
  /** What the proxy predicts of each, in the table's units. */
  readonly predictions: Float64Array;
  /** Where each began. */
  readonly starts: string[];
  /** How many letters each changed. */
  readonly distances: number[];
  /** Steps made. */
  readonly steps: number;
  /** How it ended. */
  readonly status: Status;
  /** A record for each step. */
  readonly history: readonly ComsRecord[];
  /** What `resume` goes on from. */
  readonly state: ComsState;
}

const owner = "comsSequences";
const counts = ["steps", "ascentSteps", "adversarySteps", "hidden", "batchSize", "starts"] as const;
const names = ["alphabet", ...counts, "ascentRate", "gap", "learningRate", "seed", ...runOptionNames];
/** Logit of a letter that is there; the step on alpha. */
const [SHARPNESS, DUAL_RATE] = [2, 0.05];

/**
 * COMs (Trabucco and others 2021): a network learns the table while a penalty, whose weight adapts, keeps it from promising more of what a few steps
 * of ascent find than of the table; then the designs ascend it.
 */
export async function comsSequences(table: OfflineTable, options: ComsOptions = {}): Promise<ComsResult> {
  requireObject("comsSequences", "table", table, "an OfflineTable");
  const settings = readOptions(options);
  const { alphabet, steps, ascentSteps, seed, starts: count, batchSize } = settings;
  const { y, middle, spread, rows } = readTable(owner, table, alphabet);
  const [n, length, width] = rows.shape;
  const order = [...table.sequences.keys()].sort((a, b) => table.scores[b] - table.scores[a]).slice(0, count);
  const starts = order.map((i) => table.sequences[i]);
  const first = mul(SHARPNESS, encodeSequences(owner, starts, alphabet));
  const proxy = makeProxy(length * width, settings);
  const run = await runLoop<ComsPoint, ComsRecord, never>(
    {
      owner,
      limit: steps + ascentSteps,
      limitName: "steps",
      initial: () => {
        const params = proxy.init(random.rng(`${seed}/proxy`));
        return {
          ...{ params, optimizerState: proxy.optimizer.init(params), logits: first, told: null },
          weight: tensor(1, { dtype: "float64" }),
        };
      },
      step({ told: _, ...point }, step) {
        if (step > steps) {
          const { logits, value } = proxy.ascend(point.params, point.logits);
          return { ...point, logits, told: finite({ phase: "ascent", value: value.item(), gap: 0 }) };
        }
        const chosen = random.rng(`${seed}/batch/${step}`).randint([batchSize], { high: n });
        const { extra, ...next } = proxy.train(
          point.params,
          point.optimizerState,
          take(rows, chosen),
          take(y, chosen),
          point.weight,
        );
        const told = { phase: "training", value: extra.error.item(), gap: extra.gap.item() } as const;
        return {
          ...{ params: next.params, optimizerState: next.optimizerState, weight: extra.weight },
          ...{ logits: point.logits, told: finite(told) },
        };
      },
      record: ({ told }, step) => (told === null ? undefined : { step, ...told }),
      check({ logits }) {
        if (logits?.shape?.join() === first.shape.join()) return;
        throw new ValueError(`${owner}: resume is a state of other designs; give one of this table`);
      },
    },
    options,
  );
  const { last, iterations, history, status, state } = run;
  const sequences = decodeSequences(last.logits, alphabet);
  const predicted = proxy.predict(last.params, encodeSequences(owner, sequences, alphabet));
  return {
    ...{ sequences, starts, steps: iterations, history, status, state },
    predictions: Float64Array.from(predicted.data(), (v) => middle + spread * v),
    distances: sequences.map((sequence, i) => hammingDistance(sequence, starts[i])),
  };
}

function finite(told: Omit<ComsRecord, "step">): Omit<ComsRecord, "step"> {
  if (Number.isFinite(told.value) && Number.isFinite(told.gap)) return told;
  throw new NonFiniteError(`${told.phase}: the proxy's value became ${told.value}; take a smaller learning rate`);
}

function readOptions(options: ComsOptions) {
  checkOptions(owner, options, names);
  const { alphabet = dna, steps = 500, ascentSteps = 50, ascentRate = 0.5, adversarySteps = 5, gap = 0.5 } = options;
  const { hidden = 64, batchSize = 128, learningRate = 3e-3, starts = 128, seed = 0 } = options;
  const settings = { steps, ascentSteps, adversarySteps, hidden, batchSize, starts };
  for (const name of counts) requireInteger(owner, name, settings[name], name.endsWith("teps") ? 0 : 1);
  requirePositive(owner, "ascentRate", ascentRate);
  requirePositive(owner, "learningRate", learningRate);
  requireNonNegative(owner, "gap", gap);
  return { ...settings, alphabet, ascentRate, gap, learningRate, seed };
}

/** The proxy with its step of training and its ascent, compiled. */
function makeProxy(inputs: number, settings: ReturnType<typeof readOptions>) {
  const { hidden, adversarySteps, ascentRate, gap: allowed, learningRate } = settings;
  const network = mlp({ sizes: [inputs, hidden, hidden, 1], activation: "relu" });
  const optimizer = adam({ learningRate });
  const init = (rng: random.Rng) => network.init(rng, "float64");
  type Params = ReturnType<typeof init>;
  const predict = (params: Params, rows: Tensor) =>
    reshape(network.apply(params, reshape(rows, [rows.shape[0], inputs])), [-1]);
  /** A step of one length for every design. */
  const ascended = (params: Params, logits: Tensor) => {
    const slope = grad((z: Tensor) => sum(predict(params, softmax(z, -1))))(logits);
    const size = sqrt(add(sum(square(slope), [1, 2], { keepDims: true }), 1e-12));
    return add(logits, mul(ascentRate, div(slope, size)));
  };
  const step = trainingStep((params: Params, rows: Tensor, scores: Tensor, weight: Tensor) => {
    let logits = mul(SHARPNESS, rows);
    for (let k = 0; k < adversarySteps; k++) logits = ascended(params, logits);
    const error = mean(square(sub(predict(params, rows), scores)));
    const adversaries = stopGradient(softmax(logits, -1));
    const gap = sub(mean(predict(params, adversaries)), mean(predict(params, rows)));
    const next = maximum(0, add(weight, mul(DUAL_RATE, sub(gap, allowed))));
    return [add(error, mul(weight, gap)), { error, gap, weight: stopGradient(next) }] as const;
  }, optimizer);
  return {
    optimizer,
    init,
    predict: jitSync(predict),
    train: jitSync(step),
    ascend: jitSync((params: Params, logits: Tensor) => ({
      logits: ascended(params, logits),
      value: mean(predict(params, softmax(logits, -1))),
    })),
  };
}
