import {
  add,
  checkOptions,
  matmul,
  mul,
  type Rng,
  random,
  requireInteger,
  reshape,
  sum,
  type Tensor,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { dna, encodeSequence } from "../alphabet.js";
import type { OfflineTable } from "../fit-table.js";

const LENGTH = 8;
const LETTERS = 4;
const COUNT = LETTERS ** LENGTH;

/** All 65,536 sequences of eight letters of DNA with a score that is known: letters and pairs of letters contribute. */
export interface DnaLandscape {
  /** The score of a sequence, in [0, 1]; most are low. */
  score(sequence: string): number;
  /** `raw`, before the sigmoid, of (relaxed) one-hot rows `[B, 8, 4]`, linear in each row; traceable. */
  raw(oneHot: Tensor): Tensor;
  /** Sequences that evolution would leave: drawn with probabilities that grow with the score, for language models. */
  corpus(count: number, rng: Rng): string[];
  /** A table of so many sequences, drawn from the worse half of all, without repetition. */
  table(count: number, rng: Rng): OfflineTable;
}

/**
 * A landscape: `raw = sum_i w_i[s_i] + sum_(i<j) v_ij[s_i, s_j]`, w of deviation 1, v of 0.6 between neighbours and 0.25 else; the score is
 * `sigmoid((raw - 90 % quantile) / 1.5)`, moved to [0, 1].
 * @param options `seed` decides the weights, default 0: those of the numbers 0 to 3 are known to the models of {@link loadExampleModel}
 */
export function dnaLandscape(options: { readonly seed?: number | string } = {}): DnaLandscape {
  checkOptions("dnaLandscape", options, ["seed"]);
  const weights = drawWeights(random.rng(`dna-landscape/${options.seed ?? 0}`));
  const raw = rawScores(weights);
  const quantile = raw.slice().sort()[Math.floor(0.9 * (COUNT - 1))];
  const y = raw.map((value) => 1 / (1 + Math.exp((quantile - value) / 1.5)));
  let [least, most] = [y[0], y[0]];
  for (const value of y) [least, most] = [Math.min(least, value), Math.max(most, value)];
  const scores = y.map((value) => (value - least) / (most - least));
  let order: Int32Array | undefined;
  return {
    score: (sequence) => {
      const letters = encodeSequence("score", sequence, dna);
      if (letters.length === LENGTH) return scores[letters.reduce((index, letter) => LETTERS * index + letter, 0)];
      throw new ValueError(`score: the sequence has ${letters.length} letters; those of the landscape have ${LENGTH}`);
    },
    raw(oneHot) {
      const x = reshape(oneHot, [oneHot.shape[0], WIDTH]);
      const pairs = tensor(weights.pairs, { shape: [WIDTH, WIDTH] });
      return add(matmul(x, tensor(weights.letters)), sum(mul(matmul(x, pairs), x), 1));
    },
    corpus(count, rng) {
      requireInteger("corpus", "count", count, 1);
      let total = 0;
      const reached = raw.map((value) => {
        total += Math.exp(value / 2);
        return total;
      });
      return Array.from(rng.uniform([count], { dtype: "float64" }).data(), (u) =>
        sequenceAt(firstAbove(reached, u * total)),
      );
    },
    table(count, rng) {
      requireInteger("table", "count", count, 2, COUNT / 2);
      order ??= Int32Array.from(scores.keys()).sort((a, b) => scores[a] - scores[b]);
      const lower = order;
      const chosen = Array.from(
        rng
          .permutation(COUNT / 2)
          .data()
          .subarray(0, count),
        (k) => lower[k],
      );
      return { sequences: chosen.map(sequenceAt), scores: Float64Array.from(chosen, (index) => scores[index]) };
    },
  };
}

/** Contributions of letters `[32]`, and of pairs of them `[32, 32]` above the diagonal. */
interface Weights {
  readonly letters: Float64Array;
  readonly pairs: Float64Array;
}

const WIDTH = LENGTH * LETTERS;

function drawWeights(rng: Rng): Weights {
  const double = { dtype: "float64" } as const;
  const letters = Float64Array.from(rng.normal([WIDTH], double).data());
  const drawn = rng.normal([WIDTH, WIDTH], double).data();
  const pairs = Float64Array.from(drawn, (value, k) => {
    const places = Math.floor((k % WIDTH) / LETTERS) - Math.floor(k / (WIDTH * LETTERS));
    return places < 1 ? 0 : (places === 1 ? 0.6 : 0.25) * value;
  });
  return { letters, pairs };
}

/** The raw scores of all sequences in their order. */
function rawScores({ letters, pairs }: Weights): Float64Array {
  const raw = new Float64Array(COUNT);
  const at = new Int32Array(LENGTH);
  for (let index = 0; index < COUNT; index++) {
    for (let i = 0; i < LENGTH; i++) at[i] = LETTERS * i + ((index >> (2 * (LENGTH - 1 - i))) & 3);
    let total = 0;
    for (let j = 0; j < LENGTH; j++) {
      total += letters[at[j]];
      for (let i = 0; i < j; i++) total += pairs[at[i] * WIDTH + at[j]];
    }
    raw[index] = total;
  }
  return raw;
}

function sequenceAt(index: number): string {
  return Array.from({ length: LENGTH }, (_, i) => dna[(index >> (2 * (LENGTH - 1 - i))) & 3]).join("");
}

/** The first place of a growing array whose value is above. */
function firstAbove(values: Float64Array, level: number): number {
  let [from, to] = [0, values.length - 1];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (values[middle] > level) to = middle;
    else from = middle + 1;
  }
  return from;
}
