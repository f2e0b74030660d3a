export type { Activation } from "./activation.js";
export type { Architecture, WideNetwork } from "./architecture.js";
export { compiled } from "./compiled.js";
export { additive, onInputs, productOf, scale, sumOf } from "./composition.js";
export { gradientGradient, valueGradient } from "./derivative-covariance.js";
export { type EvidenceTerms, evidenceTerms } from "./evidence.js";
export { type FitOptions, type FitResult, fit } from "./fit.js";
export { type Kernel, type ParameterTree, type Radial, rawOf, type Spectrum } from "./kernel.js";
export { nngp, ntk } from "./network-kernels.js";
export {
  type ConditionOptions,
  condition,
  type DerivativeObservations,
  Posterior,
} from "./posterior.js";
export type { PriorMean } from "./prior-mean.js";
export { type FeatureMap, randomFeatures } from "./random-features.js";
export { type ScaleDistribution, type ScalePosterior, scaleAfter } from "./scale-distribution.js";
export { type MaternOptions, matern, type StationaryOptions, squaredExponential } from "./stationary.js";
export type { Predictor, Surrogate } from "./surrogate.js";
