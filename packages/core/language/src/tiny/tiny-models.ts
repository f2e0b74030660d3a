import { readAsset } from "@offprint/data";
import { type Backend, checkOptions, ValueError } from "@offprint/tensor-core";
import type { MaskedLM } from "../model.js";
import { readGpt2 } from "../transformer/gpt2-file.js";
import { type Gpt2, gpt2, gpt2Masked } from "../transformer/gpt2-lm.js";
import { vocabulary } from "./grammar.js";

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

const weights = (name: "causal" | "masked"): Promise<Uint8Array> =>
  readAsset(
    name === "causal"
      ? new URL("../../assets/causal.safetensors", import.meta.url)
      : new URL("../../assets/masked.safetensors", import.meta.url),
  );

/**
 * The small models, trained by `training/make-tiny-weights.mjs` on sentences whose last word is decided by one earlier
 * word: "when my flight landed in peru , i fell asleep . ( the lamp was old today ) . i stayed in the capital ,".
 */
export async function loadTinyModels(options: TinyOptions = {}): Promise<TinyModels> {
  checkOptions("loadTinyModels", options, ["backend"]);
  const [causal, masked] = await Promise.all([weights("causal"), weights("masked")]);
  const shared = { heads: HEADS, ...(options.backend && { backend: options.backend }) };
  const ids = new Map(vocabulary.map((token, id) => [token, id]));
  const specialIds = vocabulary.flatMap((token, id) => (token.startsWith("<") ? [id] : []));
  const lm = gpt2(readGpt2(causal), shared);
  const maskId = ids.get("<mask>") as number;
  const mlm = gpt2Masked(readGpt2(masked), { ...shared, maskId, specialIds });
  return {
    lm,
    mlm,
    vocab: vocabulary,
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
