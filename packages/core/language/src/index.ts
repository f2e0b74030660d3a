export { type BatchingOptions, batchedCausal, batchedMasked } from "./batching.js";
export { type CacheOptions, cachedCausal } from "./cached-causal.js";
export type { AttentionLM, Awaitable, CausalLM, EmbeddingLM, GradientLM, MaskedLM } from "./model.js";
export { requirePrompt, requireTarget } from "./prompt-checks.js";
export type { TextCodec } from "./text-codec.js";
export {
  type BertConfig,
  type BertLayerParams,
  type BertParams,
  bertEmbed,
  bertFeatures,
  type DenseParams,
} from "./transformer/bert.js";
export { readBert } from "./transformer/bert-file.js";
export {
  type AffineParams,
  type BlockParams,
  type Gpt2Config,
  type Gpt2Output,
  type Gpt2Params,
  type Gpt2Request,
  type Gpt2Size,
  gpt2Embed,
  gpt2Features,
  gpt2Logits,
  initGpt2,
} from "./transformer/gpt2.js";
export { readGpt2 } from "./transformer/gpt2-file.js";
export { type Gpt2, type Gpt2MaskedOptions, type Gpt2Options, gpt2, gpt2Masked } from "./transformer/gpt2-lm.js";
