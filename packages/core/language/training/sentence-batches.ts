import { type Rng, type Tensor, tensor } from "@offprint/tensor-core";
import { drawSentence, vocabulary } from "../src/tiny/grammar.js";

/** Positions that the shipped models have. */
export const POSITIONS = 64;
/** Sentences that they are trained on. */
export const SENTENCES = 6000;
/** Sentences of a batch. */
export const BATCH = 64;
/** Tokens that every sentence is padded to, so that one compiled step fits all batches; the longest has 37. */
const LENGTH = 37;

const idOf = new Map(vocabulary.map((token, id) => [token, id]));
const [PAD, BOS, MASK] = ["<pad>", "<bos>", "<mask>"].map((token) => idOf.get(token) as number);

/** Sentences as ids, `<bos>` first. */
export function trainingSentences(rng: Rng): Int32Array[] {
  return Array.from({ length: SENTENCES }, () =>
    Int32Array.from(["<bos>", ...drawSentence(rng).words], (word) => idOf.get(word) as number),
  );
}

/** Tokens of a batch, what to predict, and which predictions count. */
export interface TokenBatch {
  /** `[B, L]` ids, padded. */
  readonly inputs: Tensor;
  /** `[B, L]` ids. */
  readonly targets: Tensor;
  /** `[B, L]`: 1 where a prediction counts. */
  readonly weights: Tensor;
  /** `[B, 1, 1, L]`: a large negative number at padding. */
  readonly keyBias: Tensor;
}

function padded(sentences: readonly Int32Array[]): { rows: Int32Array; keyBias: Float32Array } {
  const rows = new Int32Array(sentences.length * LENGTH).fill(PAD);
  const keyBias = new Float32Array(rows.length).fill(-1e9);
  for (const [b, ids] of sentences.entries()) {
    rows.set(ids, b * LENGTH);
    keyBias.fill(0, b * LENGTH, b * LENGTH + ids.length);
  }
  return { rows, keyBias };
}

function batchOf(
  sentences: readonly Int32Array[],
  change: (ids: Int32Array, b: number) => [Int32Array, Int32Array, Float32Array],
): TokenBatch {
  const { rows, keyBias } = padded(sentences);
  const inputs = rows.slice();
  const targets = rows.slice();
  const weights = new Float32Array(rows.length);
  for (const [b, ids] of sentences.entries()) {
    const [given, wanted, counted] = change(ids, b);
    inputs.set(given, b * LENGTH);
    targets.set(wanted, b * LENGTH);
    weights.set(counted, b * LENGTH);
  }
  const shape = [sentences.length, LENGTH];
  return {
    inputs: tensor(inputs, { shape }),
    targets: tensor(targets, { shape }),
    weights: tensor(weights, { shape }),
    keyBias: tensor(keyBias, { shape: [sentences.length, 1, 1, LENGTH] }),
  };
}

/** Next-token prediction: everything after `<bos>` counts. */
export function causalBatch(sentences: readonly Int32Array[]): TokenBatch {
  return batchOf(sentences, (ids) => {
    const wanted = Int32Array.from(ids, (_, i) => ids[Math.min(i + 1, ids.length - 1)]);
    return [ids, wanted, Float32Array.from(ids, (_, i) => (i + 1 < ids.length ? 1 : 0))];
  });
}

/** Masked-token prediction: each sentence has its own rate, uniform in [0.05, 0.75]; `<bos>` stays. */
export function maskedBatch(sentences: readonly Int32Array[], rng: Rng): TokenBatch {
  return batchOf(sentences, (ids) => {
    const rate = rng.uniform([], { low: 0.05, high: 0.75 }).item();
    const hidden = rng.bernoulli([ids.length], { probability: rate }).data();
    const masked = (i: number): boolean => hidden[i] === 1 && ids[i] !== BOS;
    return [ids.map((id, i) => (masked(i) ? MASK : id)), ids, Float32Array.from(ids, (_, i) => (masked(i) ? 1 : 0))];
  });
}
