export { type BaselineOptions, baselineGradients } from "./baselines.js";
export { type ExpPolynomial, type ExpPolynomialOptions, expPolynomial, type PolynomialKind } from "./exp-polynomial.js";
export {
  type AdapterExample,
  type AdapterMatrices,
  type AdapterRecord,
  type AdapterState,
  type Adapters,
  type FitAdaptersOptions,
  type FitAdaptersResult,
  fitAdapters,
} from "./fit-adapters.js";
export type { GradientBound } from "./gradient-bound.js";
export type { FrozenProjection, Head, LoraProjection, ProjectionName } from "./head.js";
export { type HeadPlace, headFromWeights } from "./head-from-weights.js";
export {
  type AlmostLinearAttention,
  type AlmostLinearAttentionOptions,
  almostLinearAttention,
} from "./linear-attention.js";
export {
  type LoraGradientOptions,
  type LoraGradients,
  loraGradients,
  type Strategy,
  type Upstream,
} from "./lora-gradients.js";
export { featureCount, type MonomialFeatures, monomialFeatures } from "./monomial-features.js";
export { NormExceededError } from "./norm-exceeded-error.js";
export { type NormReport, type NormReportOptions, normReport } from "./norm-report.js";
export { type PhaseDiagramOptions, type PhasePoint, phaseDiagram } from "./phase-diagram.js";
