import type { CausalLM } from "@offprint/language";
import { requireValues } from "../argument-checks.js";

import type { Replacer } from "../replacer.js";

/** For each place, the token that the model itself expects after the original prefix; the first place keeps its own. */
async function expectedTokens(lm: CausalLM, ids: Int32Array): Promise<Int32Array> {
  const { vocabSize: v } = lm;
  const out = ids.slice();
  const where = "replacers.causal";
  if (lm.allLogits !== undefined) {
    const logits = requireValues(where, "logits", await lm.allLogits([ids]), [1, ids.length, v]);
    for (let i = 1; i < ids.length; i++) out[i] = argMax(logits, (i - 1) * v, v);
    return out;
  }
  for (let i = 1; i < ids.length; i++) {
    out[i] = argMax(requireValues(where, "logits", await lm.nextLogits([ids.slice(0, i)]), [1, v]), 0, v);
  }
  return out;
}

function argMax(values: ArrayLike<number>, start: number, count: number): number {
  let best = 0;
  for (let k = 1; k < count; k++) if (values[start + k] > values[start + best]) best = k;
  return best;
}

/** Replaces a token by the one that the language model itself expects there, given the original tokens before it. */
export function causal(lm: CausalLM): Replacer {
  // The originals are the same in every step.
  const known = new Map<string, Promise<Int32Array>>();
  const expected = (ids: Int32Array): Promise<Int32Array> => {
    const key = ids.join();
    let found = known.get(key);
    if (found === undefined) {
      known.clear();
      found = expectedTokens(lm, ids);
      known.set(key, found);
    }
    return found;
  };
  return async (prompts, masks) => {
    const out: Int32Array[] = [];
    for (const [row, prompt] of prompts.entries()) {
      const tokens = await expected(prompt);
      out.push(prompt.map((id, i) => (masks[row][i] ? tokens[i] : id)));
    }
    return out;
  };
}
