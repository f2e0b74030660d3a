export { type AttentionWeights, attention, correlation } from "./attention.js";
export {
  type AttentionSvm,
  type AttentionSvmOptions,
  attentionSvm,
  InfeasibleSvmError,
  isSeparable,
} from "./attention-svm.js";
export type { TrainedWeights } from "./descent.js";
export { equalMargins } from "./equal-margins.js";
export type { AttentionExamples } from "./examples.js";
export {
  type GeneralisedSvm,
  type GeneralisedSvmOptions,
  generalisedSvm,
  type SelectedTokens,
  type SelectTokensOptions,
  selectTokens,
} from "./generalised-svm.js";
export type { Head, LossName } from "./heads.js";
export { type LocallyOptimalChoice, type LocallyOptimalOptions, locallyOptimal } from "./locally-optimal.js";
export { type MarginReport, marginReport } from "./margin-report.js";
export { type OnnxHead, weightsFromOnnx } from "./onnx-weights.js";
export { type PathPoint, type RegularisationPathOptions, regularisationPath } from "./regularisation-path.js";
export { type FullExamples, type PositionOptions, positionExamples, withoutRepeats } from "./sequence-examples.js";
export { type OptimalTokens, optimalTokens, tokenScores } from "./token-scores.js";
export {
  type AttentionLayer,
  type AttentionRecord,
  type AttentionState,
  type TrainAttentionOptions,
  type TrainedAttention,
  trainAttention,
} from "./train-attention.js";
export {
  type AttentionsRecord,
  type AttentionsState,
  type TrainAttentionsOptions,
  type TrainedAttentions,
  trainAttentions,
} from "./train-attentions.js";
