import {
  asTensor,
  checkOptions,
  requireInteger,
  requireObject,
  type Tensor,
  type TypedArray,
  tensor,
} from "@offprint/tensor-core";
import type { CausalLM } from "./model.js";

/** Options of `cachedCausal`. */
export interface CacheOptions {
  /** Prompts whose scores are kept, >= 1; those asked first are forgotten first. Default as many as fill 64 MB. */
  prompts?: number;
}

/** Scores that are kept unless told otherwise: 64 MB in float32. */
const SCORES = 2 ** 24;

/**
 * The same causal model, which is asked only once for each prompt. Searches come back to the same prompts: half of those
 * that `reagent` asks about are repeated, where replacements are what a masked model finds most probable.
 * @example const lm = cachedCausal(batchedCausal(model));
 */
export function cachedCausal(lm: CausalLM, options: CacheOptions = {}): CausalLM {
  requireObject("cachedCausal", "lm", lm, "a CausalLM");
  checkOptions("cachedCausal", options, ["prompts"]);
  const { prompts: most = Math.max(1, Math.floor(SCORES / lm.vocabSize)) } = options;
  requireInteger("cachedCausal", "prompts", most, 1);
  // A promise, so that requests that come together do not ask twice.
  const known = new Map<string, Promise<TypedArray>>();
  const ask = (fresh: readonly (readonly [key: string, prompt: Int32Array])[]): void => {
    const answer = (async () => asTensor(await lm.nextLogits(fresh.map(([, prompt]) => prompt))))();
    for (const [row, [key]] of fresh.entries()) {
      const scores = answer.then((rows) => rowOf(rows, row, fresh.length));
      known.set(key, scores);
      scores.catch(() => known.delete(key));
    }
  };
  return {
    vocabSize: lm.vocabSize,
    ...(lm.mixedLengths !== undefined && { mixedLengths: lm.mixedLengths }),
    ...(lm.allLogits && { allLogits: lm.allLogits }),
    async nextLogits(prompts) {
      const keys = prompts.map((prompt) => prompt.join());
      const fresh = new Map(keys.flatMap((key, row) => (known.has(key) ? [] : [[key, prompts[row]] as const])));
      if (fresh.size > 0) ask([...fresh]);
      const rows = await Promise.all(keys.map((key) => known.get(key) as Promise<TypedArray>));
      for (const key of known.keys()) {
        if (known.size <= most) break;
        known.delete(key);
      }
      return tensor(rows);
    },
  };
}

function rowOf(rows: Tensor, row: number, count: number): TypedArray {
  const width = rows.size / count;
  return rows.data().slice(row * width, (row + 1) * width);
}
