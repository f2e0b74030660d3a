import type { CausalLM } from "@offprint/language";
import { requireLogits, requireModel } from "../argument-checks.js";
import { argMax } from "../next-token.js";
import type { Replacer } from "../replacer.js";
import { Recent } from "./recent.js";

/** For each place, the token that the model itself expects after the original prefix; the first place keeps its own. */
async function expectedTokens(lm: CausalLM, ids: Int32Array): Promise<Int32Array> {
  const { vocabSize: v } = lm;
  const out = ids.slice();
  const where = "replacers.causal";
  if (lm.allLogits !== undefined) {
    const logits = requireLogits(where, await lm.allLogits([ids]), [1, ids.length, v]);
    for (let i = 1; i < ids.length; i++) out[i] = argMax(logits, (i - 1) * v, v);
    return out;
  }
  for (let i = 1; i < ids.length; i++) {
    out[i] = argMax(requireLogits(where, await lm.nextLogits([ids.slice(0, i)]), [1, v]), 0, v);
  }
  return out;
}

/** Prompts whose expected tokens are kept. */
const KEPT = 1000;

/** Replaces a token by the one that the language model itself expects there, given the original tokens before it. */
export function causal(lm: CausalLM): Replacer {
  requireModel("replacers.causal", lm);
  // The originals are the same in every step; a promise, so that searches that run together do not ask twice.
  const known = new Recent<Promise<Int32Array>>(KEPT);
  const expected = (ids: Int32Array): Promise<Int32Array> => {
    const key = ids.join();
    return known.get(key) ?? known.set(key, expectedTokens(lm, ids));
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
