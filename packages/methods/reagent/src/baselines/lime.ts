import type { EmbeddingLM } from "@offprint/language";
import { linalg, random, requireInteger, requirePositive, type Tensor, tensor } from "@offprint/tensor-core";
import { requireFunction, requireLogits } from "../argument-checks.js";
import { keptEmbeddings } from "../metrics/perturbed-embeddings.js";

import { NextToken } from "../next-token.js";
import { attribution, type BaselineAttribution, type BaselineOptions, explained } from "./baseline.js";

/** Options of `lime`. */
export interface LimeOptions extends BaselineOptions {
  /** Random sets of kept tokens, >= 2. Default 200. */
  samples?: number;
  /** Strength of the ridge penalty, > 0. Default 0.01. */
  ridge?: number;
  /** Width of the kernel `exp(-(1 - kept share)^2 / width^2)`, > 0. Default 0.25. */
  kernelWidth?: number;
  /** Source of randomness. Default 0. */
  seed?: number | string;
}

/**
 * LIME (Ribeiro et al., 2016): weights of a ridge regression of the target's probability on which tokens were kept, each
 * with probability 1/2, the embeddings of the others being zero. The intercept is not penalised.
 */
export async function lime(lm: EmbeddingLM, ids: Int32Array, options: LimeOptions = {}): Promise<BaselineAttribution> {
  const where = "lime";
  const { samples = 200, ridge = 1e-2, kernelWidth = 0.25, seed = 0 } = options;
  requireInteger(where, "samples", samples, 2);
  requirePositive(where, "ridge", ridge);
  requirePositive(where, "kernelWidth", kernelWidth);
  const target = await explained(where, lm, ids, options, ["samples", "ridge", "kernelWidth", "seed"]);
  requireFunction(where, "embed of the model", lm.embed, "give an EmbeddingLM, such as gpt2(params, { heads })");
  const l = ids.length;
  const kept = random.rng(seed).bernoulli([samples, l]).data() as Uint8Array;
  const embeds = await lm.embed(ids);
  const probabilities = await keptProbabilities(lm, embeds, kept, samples, target);
  return attribution(ridgeRegression(kept, probabilities, { l, ridge, kernelWidth }), target);
}

/** Rows of masks in one forward pass. */
const BATCH = 50;

async function keptProbabilities(
  lm: EmbeddingLM,
  embeds: Tensor,
  kept: Uint8Array,
  samples: number,
  target: number,
): Promise<Float64Array> {
  const l = embeds.shape[0];
  const out = new Float64Array(samples);
  for (let from = 0; from < samples; from += BATCH) {
    const rows = Math.min(BATCH, samples - from);
    const masked = keptEmbeddings(embeds, rows, (row, i) => kept[(from + row) * l + i] === 1);
    const logits = requireLogits("lime", await lm.nextLogitsFromEmbeds(masked), [rows, lm.vocabSize]);
    const next = new NextToken(logits, lm.vocabSize);
    for (let row = 0; row < rows; row++) out[from + row] = next.probability(row, target);
  }
  return out;
}

function ridgeRegression(
  kept: Uint8Array,
  y: Float64Array,
  { l, ridge, kernelWidth }: { l: number; ridge: number; kernelWidth: number },
): Float64Array {
  const size = l + 1;
  const normal = new Float64Array(size * size);
  const right = new Float64Array(size);
  for (let n = 0; n < y.length; n++) {
    const row = kept.subarray(n * l, (n + 1) * l);
    const share = row.reduce((a, b) => a + b, 0) / l;
    const weight = Math.exp(-(((1 - share) / kernelWidth) ** 2));
    const at = (i: number): number => (i === l ? 1 : row[i]);
    for (let i = 0; i < size; i++) {
      if (at(i) === 0) continue;
      right[i] += weight * y[n];
      for (let k = 0; k < size; k++) normal[i * size + k] += weight * at(k);
    }
  }
  for (let i = 0; i < l; i++) normal[i * size + i] += ridge;
  const solved = linalg.solve(tensor(normal, { shape: [size, size] }), tensor(right)).data();
  return Float64Array.from(solved.subarray(0, l));
}
