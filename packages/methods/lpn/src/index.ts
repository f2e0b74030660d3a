export { type ConvConfig, type DenseConfig, type LpnConfig, presets } from "./architecture.js";
export {
  type DenoiserOptions,
  gradientStepDenoiser,
  type ResidualDenoiserOptions,
  residualDenoiser,
  type TikhonovOptions,
  tikhonov,
} from "./baselines.js";
export type { FloatType } from "./batch.js";
export { type CleanSamples, type FitProximalOptions, type FitProximalResult, fitProximal } from "./fit.js";
export { absoluteLoss, type DenoisingLoss, matchingLoss, squaredLoss } from "./losses.js";
export {
  largestEigenvalue,
  type Measurement,
  type MeasurementOptions,
  matrixMeasurement,
  measurement,
} from "./measurement.js";
export { loadLpn, type SavedLpn, saveLpn } from "./model-file.js";
export { type Lpn, type LpnParams, lpn, type ProxModel } from "./network.js";
export type { NoiseLevel } from "./noise-level.js";
export {
  type BlurOptions,
  blur,
  gaussianMatrix,
  mask,
  type RandomMeasurementOptions,
} from "./operators/image-operators.js";
export { type Radon, type RadonOptions, radon } from "./operators/radon.js";
export { randomConvolution } from "./operators/random-convolution.js";
export { type AdmmOptions, type AdmmState, pnpAdmm, type Splitting } from "./plug-and-play/admm.js";
export {
  type GradientDescentOptions,
  type GradientDescentState,
  pnpGradientDescent,
} from "./plug-and-play/gradient-descent.js";
export type { DataSolver } from "./plug-and-play/proximal-data-step.js";
export type { Reconstruction, ReconstructionOptions, ReconstructionRecord } from "./plug-and-play/reconstruction.js";
export { type CompiledProx, type PatchOptions, type Prox, patchProx, proxOf } from "./prox.js";
export { type Inverter, type Regularized, type RegularizerOptions, regularizer, regularizerAt } from "./regularizer.js";
export { type Course, type MatchingStagesOptions, matchingStages, type Stage } from "./stages.js";
export {
  type TotalVariationOptions,
  type TotalVariationState,
  totalVariation,
} from "./total-variation.js";
