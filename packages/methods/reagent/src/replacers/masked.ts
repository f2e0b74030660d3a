import type { MaskedLM } from "@offprint/language";
import type { TextTokenizer } from "@offprint/language/huggingface";
import { requireObject } from "@offprint/tensor-core";

import type { Replacer } from "../replacer.js";
import type { FillInOptions } from "./fill-in.js";
import { matchVocabularies } from "./id-map.js";
import { mlm } from "./mlm.js";
import { wordMlm } from "./word-mlm.js";

/** Share of the causal model's pieces that must be the masked model's too for ids to be mapped piece by piece. */
const ENOUGH = 0.5;

/** Tokenisers of the two models, and how tokens are filled in. */
export interface MaskedReplacerOptions extends FillInOptions {
  /** Tokeniser of the causal model. */
  causal: TextTokenizer;
  /** Tokeniser of the masked model. */
  masked: TextTokenizer;
}

/**
 * The replacer of a masked model for a causal one: piece by piece where they share most pieces, as GPT-2 and RoBERTa do,
 * word by word where they do not.
 */
export function maskedReplacer(model: MaskedLM, givenOptions: MaskedReplacerOptions): Replacer {
  requireObject("maskedReplacer", "model", model, "a MaskedLM");
  requireObject("maskedReplacer", "givenOptions", givenOptions, "{ causal, masked }");
  const { causal, masked, ...options } = givenOptions;
  const pieces = Object.keys(causal.vocabulary);
  const shared = pieces.filter((piece) => Object.hasOwn(masked.vocabulary, piece)).length;
  if (shared < ENOUGH * pieces.length) return wordMlm(model, { ...options, causal, masked });
  return mlm(model, { ...options, idMap: matchVocabularies(causal.vocabulary, masked.vocabulary) });
}
