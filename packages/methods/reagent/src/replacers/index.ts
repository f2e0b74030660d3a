import { causal } from "./causal.js";
import { mlm } from "./mlm.js";
import { posTag } from "./pos-tag.js";
import { uniform } from "./uniform.js";
import { wordMlm } from "./word-mlm.js";

/** Where replacements come from. The paper's choice is `mlm`. */
export const replacers = {
  /** What a masked language model expects. */
  mlm,
  /** What a masked language model with an unrelated vocabulary expects, word by word. */
  wordMlm,
  /** A random token of the same part of speech. */
  posTag,
  /** A random token. */
  uniform,
  /** What the language model itself expects there. */
  causal,
} as const;
