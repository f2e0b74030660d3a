export type { BaselineAttribution, BaselineOptions } from "./baselines/baseline.js";
export { baselines } from "./baselines/index.js";
export type { LeaveOneOutOptions } from "./baselines/leave-one-out.js";
export type { LimeOptions } from "./baselines/lime.js";
export type { GradientOptions, GradientShapOptions, IntegratedGradientsOptions } from "./baselines/path-gradients.js";

export { evidence, type UpdateRule } from "./evidence.js";
export {
  type AttributionMethod,
  attributeGeneration,
  type GenerationAttribution,
  type GenerationOptions,
  type GenerationRecord,
  type GenerationState,
  type MethodRun,
  type TokenAttribution,
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

export { type Attribution, reagent } from "./reagent.js";
export type { ReagentOptions, StepTrace } from "./reagent-options.js";
export type { ProbeState, ReagentRecord, ReagentRunOptions, ReagentState } from "./reagent-state.js";
export type { ReplacementContext, Replacer } from "./replacer.js";
export type { FillInOptions } from "./replacers/fill-in.js";
export { type IdMap, matchVocabularies } from "./replacers/id-map.js";
export { replacers } from "./replacers/index.js";
export { type MaskedReplacerOptions, maskedReplacer } from "./replacers/masked.js";
export type { MlmOptions } from "./replacers/mlm.js";
export type { DrawOptions } from "./replacers/uniform.js";
export { coarseWordClass } from "./replacers/word-class.js";
export type { WordMlmOptions } from "./replacers/word-mlm.js";
