export type { BaselineAttribution, BaselineOptions } from "./baselines/baseline.js";
export { baselines } from "./baselines/index.js";
export type { LeaveOneOutOptions } from "./baselines/leave-one-out.js";
export type { LimeOptions } from "./baselines/lime.js";
export type { GradientOptions, GradientShapOptions, IntegratedGradientsOptions } from "./baselines/path-gradients.js";
export { batchedCausal, batchedMasked } from "./batching.js";
export { evidence, type UpdateRule } from "./evidence.js";
export {
  type AttributionMethod,
  attributeGeneration,
  type GenerationAttribution,
  type GenerationOptions,
} from "./generation.js";
export { type Distance, distributionDistance } from "./metrics/distance.js";
export {
  type FaithfulnessOptions,
  type FaithfulnessWarning,
  type HardFaithfulness,
  hardFaithfulness,
  logRatioToRandom,
  type SoftFaithfulness,
  softFaithfulness,
  softNC,
  softNS,
} from "./metrics/faithfulness.js";
export { matchedKeepProbabilities } from "./metrics/matched-mass.js";
export type { AttentionLM, Awaitable, CausalLM, EmbeddingLM, GradientLM, MaskedLM } from "./model.js";
export { type Attribution, reagent } from "./reagent.js";
export type { ReagentOptions, StepTrace } from "./reagent-options.js";
export type { ReagentState } from "./reagent-state.js";
export type { ReplacementContext, Replacer } from "./replacer.js";
export type { FillInOptions } from "./replacers/fill-in.js";
export { type IdMap, matchVocabularies } from "./replacers/id-map.js";
export { replacers } from "./replacers/index.js";
export type { MlmOptions } from "./replacers/mlm.js";
export { coarseWordClass } from "./replacers/word-class.js";
export type { TextCodec, WordMlmOptions } from "./replacers/word-mlm.js";
export type { AffineParams, BlockParams, Gpt2Config, Gpt2Params } from "./transformer/gpt2.js";
export { readGpt2 } from "./transformer/gpt2-file.js";
export { type Gpt2, type Gpt2MaskedOptions, type Gpt2Options, gpt2, gpt2Masked } from "./transformer/gpt2-lm.js";
