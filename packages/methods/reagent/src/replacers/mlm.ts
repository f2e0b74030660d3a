import type { MaskedLM } from "@offprint/language";
import { ShapeError } from "@offprint/tensor-core";
import { requireValues } from "../argument-checks.js";

import type { Replacer } from "../replacer.js";
import { type FillInOptions, fillIn, requireMaskedLM } from "./fill-in.js";
import type { IdMap } from "./id-map.js";
import { allowedIds } from "./uniform.js";

/** Options of `replacers.mlm`. */
export interface MlmOptions extends FillInOptions {
  /** How ids of the causal model become ids of the masked one, from `matchVocabularies`. Default: they are the same. */
  idMap?: IdMap;
}

/**
 * Replaces by what a masked language model expects, the paper's choice: all chosen tokens are hidden at once, and one
 * forward pass fills them in. With an `idMap`, a token without a partner keeps its place, hidden from the masked model.
 * @throws ValueError for a model without a mask token.
 */
export function mlm(model: MaskedLM, options: MlmOptions = {}): Replacer {
  const where = "replacers.mlm";
  requireMaskedLM(where, model);
  const { idMap } = options;
  const { maskId, vocabSize } = model;
  const ordinary = allowedIds(where, vocabSize, [maskId, ...(model.specialIds ?? [])]);
  const candidates = idMap === undefined ? ordinary : ordinary.filter((id) => (idMap.toCausal[id] ?? -1) >= 0);
  const choose = fillIn(where, candidates, options);
  const partner = (id: number): number => {
    if (idMap !== undefined) return idMap.toMasked[id] ?? -1;
    if (id < vocabSize) return id;
    throw new ShapeError(`${where}: token ${id} is not among the masked model's ${vocabSize}; give an idMap`);
  };
  return async (prompts, masks, rngs) => {
    const partners = prompts.map((prompt) => prompt.map(partner));
    const wanted = prompts.map((_, row) => partners[row].map((id, i) => (masks[row][i] && id >= 0 ? 1 : 0)));
    const rows = prompts.flatMap((_, row) => (wanted[row].includes(1) ? [row] : []));
    const out = prompts.map((prompt) => prompt.slice());
    if (rows.length === 0) return out;
    const hidden = rows.map((row) => partners[row].map((id, i) => (wanted[row][i] === 1 || id < 0 ? maskId : id)));
    const length = prompts[0].length;
    const logits = requireValues(where, "logits", await model.logits(hidden), [rows.length, length, vocabSize]);
    for (const [place, row] of rows.entries()) {
      for (let i = 0; i < length; i++) {
        if (wanted[row][i] === 0) continue;
        const id = choose(logits, (place * length + i) * vocabSize, partners[row][i], rngs[row]);
        out[row][i] = idMap === undefined ? id : idMap.toCausal[id];
      }
    }
    return out;
  };
}
