export {
  type BatchExtremes,
  type BatchExtremesOptions,
  type Branch,
  batchExtremes,
  type MarchenkoPastur,
  trueExtreme,
} from "./batch-extremes.js";
export { type BatchLoss, type ComposedLoss, type Curvature, curvature } from "./curvature.js";
export {
  type CurvatureMeasurement,
  type CurvatureRates,
  type CurvatureRatesOptions,
  curvatureRates,
  type LearnerNoise,
  type MeasuredRates,
} from "./curvature-rates.js";
export { effectiveBatch } from "./effective-batch.js";
export {
  type EstimateNoiseOptions,
  estimateNoise,
  type NoiseEstimate,
  type NoiseMethod,
  type NoiseProblem,
  type NoiseRecord,
  type NoiseState,
} from "./estimate-noise.js";
export {
  checkSymmetric,
  type KrylovSpectrum,
  krylovSpectrum,
  type PowerIterationOptions,
  powerIteration,
} from "./krylov.js";
export {
  type MaxLearningRateOptions,
  type MinDampingOptions,
  maxLearningRate,
  minDamping,
  type NoisyCurvature,
  type PolyakOptions,
  type PolyakRates,
  polyak,
  type ScalingRule,
  type SpectrumNodes,
  scaleLearningRate,
} from "./learning-rates.js";
export { type FittedNoise, fitNoise, type TopByBatch } from "./noise-fit.js";
export { shrinkageDamping } from "./shrinkage-damping.js";
export {
  type DensityRecord,
  type DensityState,
  type SpectralDensity,
  type SpectralDensityOptions,
  spectralDensity,
} from "./spectral-density.js";
export {
  type CurvatureRecord,
  type CurvatureTraining,
  type CurvatureTrainingOptions,
  type CurvatureTrainingResult,
  type CurvatureTrainingState,
  trainByCurvature,
} from "./train-by-curvature.js";
