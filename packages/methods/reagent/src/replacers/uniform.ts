import { checkOptions, type Rng, requireInteger, ValueError } from "@offprint/tensor-core";

import type { Replacer } from "../replacer.js";

/** Options of `replacers.uniform` and `replacers.posTag`. */
export interface DrawOptions {
  /** Number of ids, V. */
  vocabSize: number;
  /** Ids that are never drawn, such as special tokens. Default none. */
  forbid?: readonly number[];
}

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

/** The ids that options allow. */
export function drawnIds(where: string, options: DrawOptions): Int32Array {
  checkOptions(where, options, ["vocabSize", "forbid"]);
  return allowedIds(where, options?.vocabSize, options?.forbid);
}

/** Replaces by any token of the vocabulary, all equally likely. */
export function uniform(options: DrawOptions): Replacer {
  const allowed = drawnIds("replacers.uniform", options);
  return (prompts, masks, rngs) =>
    prompts.map((prompt, row) => prompt.map((id, i) => (masks[row][i] ? drawFrom(allowed, rngs[row]) : id)));
}
