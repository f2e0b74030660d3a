import { type Backend, ValueError } from "@offprint/tensor-core";
import type { MaskedLM } from "../model.js";
import { readGpt2 } from "../transformer/gpt2-file.js";
import { type Gpt2, gpt2, gpt2Masked } from "../transformer/gpt2-lm.js";
import { gptWeights } from "./gpt-weights.js";
import { mlmWeights } from "./mlm-weights.js";
import { tinyVocabulary } from "./vocabulary.js";

/** Options of `loadTinyModels`. */
export interface TinyOptions {
  /** Compiles the models; without it they run on the host kernels. */
  backend?: Backend;
}

/** The two small language models that come with the package, and their vocabulary. */
export interface TinyModels {
  /** Causal model: two blocks, 48 features, four heads, prompts of up to 64 tokens. */
  readonly lm: Gpt2;
  /** Masked model of the same size, on the same ids. */
  readonly mlm: MaskedLM;
  /** Tokens by id. */
  readonly vocab: readonly string[];
  /** Ids of tokens that are no words: padding, beginning, mask, unknown. */
  readonly specialIds: readonly number[];
  /** Ids of a text of words from the vocabulary, separated by spaces, `<bos>` first. Commas and brackets are words. */
  encode(text: string): Int32Array;
  /** Frees the compiled functions. */
  release(): Promise<void>;
}

const HEADS = 4;

function fromBase64(text: string): Uint8Array {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

/**
 * The small models, trained by `training/make-tiny-weights.mjs` on sentences whose last word is decided by one earlier
 * word: "when my flight landed in peru , i fell asleep . ( the lamp was old today ) . i stayed in the capital ,".
 */
export function loadTinyModels(options: TinyOptions = {}): TinyModels {
  const shared = { heads: HEADS, ...(options.backend && { backend: options.backend }) };
  const ids = new Map(tinyVocabulary.map((token, id) => [token, id]));
  const specialIds = tinyVocabulary.flatMap((token, id) => (token.startsWith("<") ? [id] : []));
  const lm = gpt2(readGpt2(fromBase64(gptWeights)), shared);
  const maskId = ids.get("<mask>") as number;
  const mlm = gpt2Masked(readGpt2(fromBase64(mlmWeights)), { ...shared, maskId, specialIds });
  return {
    lm,
    mlm,
    vocab: tinyVocabulary,
    specialIds,
    encode(text) {
      const words = ["<bos>", ...text.trim().split(/\s+/)].filter((word) => word !== "");
      return Int32Array.from(words, (word) => {
        const id = ids.get(word);
        if (id !== undefined) return id;
        throw new ValueError(`encode: "${word}" is not among the ${ids.size} words of the small models; see vocab`);
      });
    },
    async release() {
      await lm.release();
      await mlm.release();
    },
  };
}
