import type { MaskedLM, TextCodec } from "@offprint/language";
import { checkOptions } from "@offprint/tensor-core";
import { requireLogits } from "../argument-checks.js";
import type { Replacer } from "../replacer.js";
import { type FillInOptions, fillIn, fillInOptionNames, requireMaskedLM } from "./fill-in.js";
import { allowedIds } from "./uniform.js";

/** Options of `replacers.wordMlm`. */
export interface WordMlmOptions extends FillInOptions {
  /** Tokeniser of the causal model. */
  causal: TextCodec;
  /** Tokeniser of the masked model. */
  masked: TextCodec;
}

/** Places of the pieces of a word, and its text without the blank in front. */
interface Word {
  readonly places: number[];
  readonly blank: boolean;
  text: string;
}

/** Pieces grouped into words: a word begins at a blank, and at a change between letters and other signs. */
function wordsOf(prompt: Int32Array, codec: TextCodec): Word[] {
  const words: Word[] = [];
  for (const [i, id] of prompt.entries()) {
    const piece = codec.decode([id]);
    const text = piece.trimStart();
    const last = words.at(-1);
    const begins = last === undefined || piece !== text || isLetters(last.text) !== isLetters(text);
    if (begins) words.push({ places: [i], blank: piece !== text, text });
    else {
      last.places.push(i);
      last.text += text;
    }
  }
  return words;
}

function isLetters(text: string): boolean {
  return /[\p{L}\p{N}]$/u.test(text);
}

/**
 * Replaces by what a masked model with an unrelated vocabulary expects: whole words are hidden, each by one mask; the
 * word that is filled in is cut into the causal model's pieces, and used where it has as many as the original.
 */
export function wordMlm(model: MaskedLM, options: WordMlmOptions): Replacer {
  const where = "replacers.wordMlm";
  requireMaskedLM(where, model);
  checkOptions(where, options, [...fillInOptionNames, "causal", "masked"]);
  const { causal, masked } = options;
  const candidates = allowedIds(where, model.vocabSize, [model.maskId, ...(model.specialIds ?? [])]);
  const choose = fillIn(where, candidates, options);
  return async (prompts, masks, rngs) => {
    const out = prompts.map((prompt) => prompt.slice());
    for (const [row, prompt] of prompts.entries()) {
      const words = wordsOf(prompt, causal);
      const hidden = words.filter(({ places }) => places.some((i) => masks[row][i]));
      if (hidden.length === 0) continue;
      const ids: number[] = [];
      const at = new Map<Word, number>();
      for (const word of words) {
        const pieces = Array.from(masked.encode((word.blank ? " " : "") + word.text));
        if (hidden.includes(word)) {
          at.set(word, ids.length);
          ids.push(model.maskId);
        } else ids.push(...pieces);
      }
      const shape = [1, ids.length, model.vocabSize];
      const logits = requireLogits(where, await model.logits([Int32Array.from(ids)]), shape);
      for (const word of hidden) {
        const [original] = Array.from(masked.encode((word.blank ? " " : "") + word.text));
        const id = choose(logits, (at.get(word) as number) * model.vocabSize, original, rngs[row]);
        const pieces = causal.encode((word.blank ? " " : "") + masked.decode([id]).trim());
        if (pieces.length !== word.places.length) continue;
        for (const [k, i] of word.places.entries()) if (masks[row][i]) out[row][i] = pieces[k];
      }
    }
    return out;
  };
}
