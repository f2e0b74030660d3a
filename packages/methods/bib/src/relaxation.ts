import {
  add,
  argMax,
  mul,
  oneHot,
  type Rng,
  requireInteger,
  requireObject,
  requirePositive,
  slice,
  softmax,
  stopGradient,
  sub,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";
import { encodeSequence } from "./alphabet.js";

/** The row of the largest entry is one, others zero, with the gradient of `soft`: hard - stop(soft) + soft. `[..., V]` */
function hardened(soft: Tensor): Tensor {
  const hard = oneHot(argMax(soft, -1), soft.shape[soft.rank - 1], { dtype: soft.dtype });
  return add(stopGradient(sub(hard, soft)), soft);
}

/** Letters as one-hot rows with the gradient of the softmax: `[..., L, V]` logits. */
export function straightThrough(logits: Tensor): Tensor {
  return hardened(softmax(logits, -1));
}

/**
 * The same for models that read words of k letters: a row for each of the L - k + 1 places, `[..., L - k + 1, V^k]`, whose
 * soft entry is the product of those of its letters (the last letter counts fastest).
 */
export function kmerRelax(logits: Tensor, k: number): Tensor {
  requireObject("kmerRelax", "logits", logits, "a tensor");
  requireInteger("kmerRelax", "k", k, 1, logits.shape[logits.rank - 2]);
  const letters = softmax(logits, -1);
  const places = logits.shape[logits.rank - 2] - k + 1;
  const before = new Array<null>(logits.rank - 2).fill(null);
  const shifted = (j: number) => slice(letters, [...before, { start: j, stop: j + places }]);
  let soft = shifted(0);
  for (let j = 1; j < k; j++) {
    const [width, v] = [soft.shape[soft.rank - 1], logits.shape[logits.rank - 1]];
    const lead = soft.shape.slice(0, -1);
    soft = mul(soft.reshape([...lead, width, 1]), shifted(j).reshape([...lead, 1, v])).reshape([...lead, width * v]);
  }
  return hardened(soft);
}

/**
 * Logits `[L, V]` whose largest entry of each row is at the letter of a sequence: noise of standard deviation `sigma`, the largest of each row
 * swapped there. One generator's noise may serve several sequences: give clones of it.
 * @throws ValueError for a letter that is not in the alphabet.
 */
export function initialLogits(sequence: string, alphabet: readonly string[], rng: Rng, sigma = 0.01): Tensor {
  requirePositive("initialLogits", "sigma", sigma);
  const letters = encodeSequence("initialLogits", sequence, alphabet);
  const v = alphabet.length;
  const noise = Float64Array.from(rng.normal([letters.length, v], { std: sigma, dtype: "float64" }).data());
  for (const [l, letter] of letters.entries()) {
    const row = noise.subarray(l * v, (l + 1) * v);
    const largest = row.indexOf(Math.max(...row));
    [row[largest], row[letter]] = [row[letter], row[largest]];
  }
  return tensor(noise).reshape([letters.length, v]);
}
