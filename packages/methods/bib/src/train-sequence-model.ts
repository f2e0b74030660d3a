import { type Gpt2Params, gpt2Embed, gpt2Features, gpt2Logits, initGpt2 } from "@offprint/language";
import {
  adamw,
  polynomialSchedule,
  type TrainingRecord,
  type TrainingState,
  train,
  warmupSchedule,
} from "@offprint/optim";
import { type RunOptions, runOptionNames, type Status } from "@offprint/solvers";
import {
  type Backend,
  checkOptions,
  div,
  hostBackend,
  logSumExp,
  mul,
  type Rng,
  random,
  requireInteger,
  requireObject,
  requirePositive,
  reshape,
  sub,
  sum,
  type Tensor,
  takeAlongAxis,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { dna, encodeLetters } from "./alphabet.js";
import type { Pooling } from "./pooling.js";
import type { RelaxedModel } from "./relaxed-model.js";
import { gpt2Sequences } from "./sequence-models.js";

/** Where training stands; a tree. */
export type SequenceTrainingState = TrainingState<Gpt2Params>;

/** Options of {@link trainSequenceModel}. */
export interface TrainSequenceOptions extends RunOptions<TrainingRecord, SequenceTrainingState> {
  /** Default {@link dna}. */
  readonly alphabet?: readonly string[];
  /** d. Default 32. */
  readonly width?: number;
  /** Blocks. Default 2. */
  readonly layers?: number;
  /** Attention heads, a divisor of d. Default 2. */
  readonly heads?: number;
  /** Width inside the two-layer networks. Default 2 d. */
  readonly inner?: number;
  /** How features of places become those of a sequence. Default `mean`. */
  readonly pool?: Pooling;
  /** Share of letters that are hidden, in (0, 1). Default 0.25. */
  readonly maskRate?: number;
  /** Steps of AdamW. Default 1500. */
  readonly steps?: number;
  /** Sequences of a step. Default 128. */
  readonly batchSize?: number;
  /** Peak, after 50 steps of warm-up; then it falls to zero in a line. Default 3e-3. */
  readonly learningRate?: number;
  /** Decides first weights, batches and masks. Default 0. */
  readonly seed?: number | string;
  /** Compiles the step elsewhere. Default the compiler of tensor-core. */
  readonly backend?: Backend;
}

/** What {@link trainSequenceModel} gives. */
export interface TrainSequenceResult {
  /** The trained parameters, for `saveParameters` of `@offprint/nn` and {@link gpt2Sequences}. */
  readonly params: Gpt2Params;
  /** The model, to design with. */
  readonly model: RelaxedModel<Gpt2Params>;
  /** Steps made. */
  readonly steps: number;
  /** How it ended. */
  readonly status: Status;
  /** The record of every step: its loss is the cross-entropy of hidden letters. */
  readonly history: readonly TrainingRecord[];
  /** What `resume` goes on from. */
  readonly state: SequenceTrainingState;
}

const owner = "trainSequenceModel";
const names = [
  ...["alphabet", "width", "layers", "heads", "inner", "pool", "maskRate", "steps", "batchSize", "learningRate"],
  ...["seed", "backend", ...runOptionNames],
];
const WARM_UP = 50;

interface MaskedBatch {
  /** `[B, L]` ids, some hidden. */
  readonly ids: Tensor;
  /** `[B, L]` ids. */
  readonly letters: Tensor;
  /** `[B, L]`: 1 where a letter is hidden. */
  readonly hidden: Tensor;
}

/**
 * Trains a small masked language model on sequences without scores, such as all known relatives of those in a table: two blocks of a
 * transformer see which letters go together.
 * @param corpus sequences of one length, two at least
 * @throws ValueError for sequences and options that are none; NonFiniteError, with the last good state, where training diverges.
 */
export async function trainSequenceModel(
  corpus: readonly string[],
  options: TrainSequenceOptions = {},
): Promise<TrainSequenceResult> {
  requireObject("trainSequenceModel", "corpus", corpus, "an array of texts");
  checkOptions(owner, options, names);
  const { alphabet = dna, width = 32, layers = 2, heads = 2, inner = 2 * width, pool = "mean" } = options;
  const { maskRate = 0.25, steps = 1500, batchSize = 128, learningRate = 3e-3, seed = 0 } = options;
  for (const [name, value] of Object.entries({ width, layers, heads, inner, batchSize })) {
    requireInteger(owner, name, value, 1);
  }
  if (width % heads !== 0) throw new ValueError(`${owner}: heads is ${heads}; it must divide the width, ${width}`);
  requireInteger(owner, "steps", steps, 0);
  requirePositive(owner, "learningRate", learningRate);
  if (!(maskRate > 0 && maskRate < 1)) throw new ValueError(`${owner}: maskRate is ${maskRate}; it must be in (0, 1)`);
  const { letters, length } = encodeLetters(owner, corpus, alphabet);
  const size = { vocabSize: alphabet.length + 1, features: width, layers, inner, positions: length };
  const initial = initGpt2(random.rng(`${seed}/model`), size);
  // Read before the run, so that a wrong pooling is an error at once.
  const modelOf = (params: Gpt2Params) => gpt2Sequences(params, { heads, alphabet, pool });
  modelOf(initial);
  const after = polynomialSchedule({ initial: learningRate, steps: Math.max(1, steps - WARM_UP) });
  const { params, status, history, state, ...made } = await train({
    owner,
    loss(p: Gpt2Params, { ids, letters: wanted, hidden }: MaskedBatch) {
      const { features: seen } = gpt2Features(p, gpt2Embed(p, ids), { heads, causal: false });
      const logits = gpt2Logits(p, seen);
      const own = takeAlongAxis(logits, reshape(wanted, [...wanted.shape, 1]));
      const missed = sub(logSumExp(logits, { axis: -1 }), reshape(own, wanted.shape));
      return div(sum(mul(missed, hidden)), sum(hidden));
    },
    initial,
    optimizer: adamw({ learningRate: warmupSchedule({ peak: learningRate, steps: WARM_UP, after }) }),
    // An epoch is a step.
    epochs: steps,
    *data(_: number, rng: Rng) {
      yield drawBatch(rng, letters, { length, batchSize, maskRate, maskId: alphabet.length });
    },
    ...{ seed, backend: options.backend ?? hostBackend },
    ...(options.onProgress && { onProgress: options.onProgress }),
    ...(options.signal !== undefined && { signal: options.signal }),
    ...(options.checkpoint !== undefined && { checkpoint: options.checkpoint }),
    ...(options.resume !== undefined && { resume: options.resume }),
  });
  return { params, model: modelOf(params), steps: made.steps, status, history, state };
}

function drawBatch(
  rng: Rng,
  letters: Int32Array,
  { length, batchSize, maskRate, maskId }: { length: number; batchSize: number; maskRate: number; maskId: number },
): MaskedBatch {
  const chosen = rng.randint([batchSize], { high: letters.length / length }).data();
  const hidden = Float32Array.from(rng.bernoulli([batchSize * length], { probability: maskRate }).data(), Number);
  // Something is always hidden.
  if (!hidden.includes(1)) hidden[0] = 1;
  const wanted = new Int32Array(batchSize * length);
  for (let b = 0; b < batchSize; b++) {
    wanted.set(letters.subarray(chosen[b] * length, (chosen[b] + 1) * length), b * length);
  }
  const shape = [batchSize, length];
  return {
    ids: tensor(
      wanted.map((letter, i) => (hidden[i] === 1 ? maskId : letter)),
      { shape },
    ),
    letters: tensor(wanted, { shape }),
    hidden: tensor(hidden, { shape }),
  };
}
