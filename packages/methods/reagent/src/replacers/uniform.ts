import { type Rng, requireInteger, ValueError } from "@offprint/tensor-core";

import type { Replacer } from "../replacer.js";

/** One of some ids, all equally likely. */
export function drawFrom(ids: Int32Array, rng: Rng): number {
  return ids[rng.randint([], { high: ids.length }).item()];
}

/** Ids from 0 to below `vocabSize` without those that are forbidden. */
export function allowedIds(where: string, vocabSize: number, forbid: readonly number[] = []): Int32Array {
  requireInteger(where, "vocabSize", vocabSize, 1);
  const out = new Set(forbid);
  const allowed = Int32Array.from({ length: vocabSize }, (_, id) => id).filter((id) => !out.has(id));
  if (allowed.length === 0) throw new ValueError(`${where}: forbid covers all ${vocabSize} ids; leave at least one`);
  return allowed;
}

/**
 * Replaces by any token of the vocabulary, all equally likely.
 * @param options.vocabSize number of ids
 * @param options.forbid ids that are never drawn, such as special tokens
 */
export function uniform(options: { vocabSize: number; forbid?: readonly number[] }): Replacer {
  const allowed = allowedIds("replacers.uniform", options.vocabSize, options.forbid);
  return (prompts, masks, rngs) =>
    prompts.map((prompt, row) => prompt.map((id, i) => (masks[row][i] ? drawFrom(allowed, rngs[row]) : id)));
}
