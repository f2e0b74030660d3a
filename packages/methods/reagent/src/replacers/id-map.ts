import { requireObject, ValueError } from "@offprint/tensor-core";

/** How the ids of two vocabularies of the same pieces correspond; -1 where there is no partner. */
export interface IdMap {
  /** `[V of the causal model]`: ids of the masked model. */
  readonly toMasked: Int32Array;
  /** `[V of the masked model]`: ids of the causal model. */
  readonly toCausal: Int32Array;
}

/**
 * Pairs the ids of equal pieces of two vocabularies, such as those of GPT-2 and RoBERTa, whose byte-level pieces are
 * the same and whose ids are not.
 * @param causal ids by piece, the content of the causal model's `vocab.json`
 * @param masked ids by piece, the content of the masked model's `vocab.json`
 * @throws ValueError where no piece is in both.
 */
export function matchVocabularies(
  causal: Readonly<Record<string, number>>,
  masked: Readonly<Record<string, number>>,
): IdMap {
  requireObject("matchVocabularies", "causal", causal, "an object");
  requireObject("matchVocabularies", "masked", masked, "an object");
  const extent = (ids: Readonly<Record<string, number>>) =>
    Object.values(ids).reduce((n, id) => Math.max(n, id + 1), 0);
  const toMasked = new Int32Array(extent(causal)).fill(-1);
  const toCausal = new Int32Array(extent(masked)).fill(-1);
  let pairs = 0;
  for (const [piece, id] of Object.entries(causal)) {
    if (!Object.hasOwn(masked, piece)) continue;
    toMasked[id] = masked[piece];
    toCausal[masked[piece]] = id;
    pairs += 1;
  }
  if (pairs === 0) {
    throw new ValueError(
      "matchVocabularies: no piece is in both vocabularies; use replacers.wordMlm for unrelated ones",
    );
  }
  return { toMasked, toCausal };
}
