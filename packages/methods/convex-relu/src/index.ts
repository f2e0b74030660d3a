export type { AdmmState } from "./admm-state.js";
export { fgsm, type PgdOptions, pgd } from "./attacks.js";
export type { DualBound } from "./dual-bound.js";
export { type EnumeratePatternsOptions, enumeratePatterns } from "./enumerate-patterns.js";
export type { Loss } from "./loss.js";
export { loadModel, type ReluModel, saveModel } from "./model-file.js";
export { predict, type TwoLayerNet } from "./network.js";
export { networkToOnnx, type OnnxFileOptions } from "./onnx-file.js";
export type {
  CommonOptions,
  ConvexNetOptions,
  ConvexNetResult,
  ConvexRecord,
  ConvexState,
  RbcdOptions,
} from "./options.js";
export { inOriginalUnits, type TrainingUnits } from "./original-units.js";
export { type Patterns, patternBound, patternCount, sampleBound } from "./patterns.js";
export type { RobustState } from "./robust-admm.js";
export type { RobustRows } from "./robust-rows.js";
export { type RobustTerms, robustTerms } from "./robust-terms.js";
export { type SamplePatternsOptions, samplePatterns } from "./sample-patterns.js";
export type { SampledState } from "./sampled-program.js";
export {
  type BackpropOptions,
  type BackpropPoint,
  type BackpropRecord,
  type BackpropResult,
  type BackpropState,
  trainBackprop,
} from "./train-backprop.js";
export { trainConvex } from "./train-convex.js";
export { type RobustNetOptions, type RobustNetResult, type RobustRunState, trainRobust } from "./train-robust.js";
