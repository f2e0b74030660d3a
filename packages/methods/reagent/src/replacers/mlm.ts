import type { MaskedLM } from "@offprint/language";
import { checkOptions, ShapeError } from "@offprint/tensor-core";
import { requireLogits } from "../argument-checks.js";
import type { Replacer } from "../replacer.js";
import { type FillInOptions, fillIn, fillInOptionNames, requireMaskedLM } from "./fill-in.js";
import type { IdMap } from "./id-map.js";
import { Recent } from "./recent.js";
import { allowedIds } from "./uniform.js";

/** Options of `replacers.mlm`. */
export interface MlmOptions extends FillInOptions {
  /** How ids of the causal model become ids of the masked one, from `matchVocabularies`. Default: they are the same. */
  idMap?: IdMap;
}

/** Filled prompts that are kept where there is no chance in them: searches come back to the same masks. */
const KEPT = 10_000;

/**
 * Replaces by what a masked language model expects, the paper's choice: all chosen tokens are hidden at once, and one
 * forward pass fills them in. With an `idMap`, a token without a partner keeps its place, hidden from the masked model.
 * @throws ValueError for a model without a mask token.
 */
export function mlm(model: MaskedLM, options: MlmOptions = {}): Replacer {
  const where = "replacers.mlm";
  requireMaskedLM(where, model);
  checkOptions(where, options, [...fillInOptionNames, "idMap"]);
  const { idMap } = options;
  const sampled = options.mode === "sample";
  const { maskId, vocabSize } = model;
  const ordinary = allowedIds(where, vocabSize, [maskId, ...(model.specialIds ?? [])]);
  const candidates = idMap === undefined ? ordinary : ordinary.filter((id) => (idMap.toCausal[id] ?? -1) >= 0);
  const choose = fillIn(where, candidates, options);
  const partner = (id: number): number => {
    if (idMap !== undefined) return idMap.toMasked[id] ?? -1;
    if (id < vocabSize) return id;
    throw new ShapeError(`${where}: token ${id} is not among the masked model's ${vocabSize}; give an idMap`);
  };
  const known = new Recent<Int32Array>(KEPT);
  return async (prompts, masks, rngs) => {
    const rows = prompts.map((prompt, row) => {
      const partners = prompt.map(partner);
      const hides = (id: number, i: number): boolean => masks[row][i] && id >= 0;
      const hidden = partners.map((id, i) => (hides(id, i) || id < 0 ? maskId : id));
      const places = Array.from(partners.keys()).filter((i) => hides(partners[i], i));
      // What is drawn differs from row to row, what is most probable does not.
      const key = sampled ? String(row) : `${prompt.join()}/${places.join()}`;
      const filled = places.length === 0 ? prompt : sampled ? undefined : known.get(key);
      return { prompt, partners, hidden, places, key, filled, rng: rngs[row] };
    });
    const asked = new Map(rows.flatMap((row) => (row.filled === undefined ? [[row.key, row] as const] : [])));
    const answers = new Map<string, Int32Array>();
    if (asked.size > 0) {
      const length = prompts[0].length;
      const hidden = Array.from(asked.values(), (row) => row.hidden);
      const logits = requireLogits(where, await model.logits(hidden), [asked.size, length, vocabSize]);
      let start = 0;
      for (const { key, prompt, partners, places, rng } of asked.values()) {
        const out = prompt.slice();
        for (const i of places) {
          const id = choose(logits, start + i * vocabSize, partners[i], rng);
          out[i] = idMap === undefined ? id : idMap.toCausal[id];
        }
        start += length * vocabSize;
        answers.set(key, out);
        if (!sampled) known.set(key, out);
      }
    }
    return rows.map((row) => (row.filled ?? (answers.get(row.key) as Int32Array)).slice());
  };
}
