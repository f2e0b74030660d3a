export { linearCombination } from "./combination.js";
export {
  type CountingDenoiser,
  countCalls,
  type Denoiser,
  type DenoiserGradients,
  noiseWithPullback,
  type PulledNoise,
  predictAs,
  withGuidance,
} from "./denoiser.js";
export { type EdmDenoiserOptions, edmDenoiser, type InnerNetwork } from "./edm-preconditioning.js";
export { type Evaluator, evaluator } from "./evaluator.js";
export { type FlowOptions, gaussianFlow, solveFlow } from "./flow.js";
export { type GaussianMixture, gaussianMixture, type MixtureParameters } from "./gaussian-mixture.js";
export { type CleanEnd, callLevel, cleanLevel, type GridOptions, levelGrid, type Spacing } from "./grid.js";
export { alongBatch, type Level, type LevelTensors, levelOf, levelTensors, noiseRatio } from "./level.js";
export {
  frechetDistance,
  peakSignalToNoise,
  rootMeanSquareError,
  type SlicedWassersteinOptions,
  sampleErrors,
  slicedWasserstein,
  structuralSimilarity,
} from "./metrics.js";
export { convertPrediction, type Prediction } from "./prediction.js";
export {
  type DdimCoefficients,
  type DdimOptions,
  ddimCoefficients,
  ddimInvert,
  ddimSample,
  ddimStep,
} from "./samplers/ddim.js";
export { type DpmCoefficients, dpmCoefficients, dpmSolverSample } from "./samplers/dpm-solver.js";
export { type EdmOptions, edmSample, type HeunStep, heunStep } from "./samplers/edm.js";
export {
  type ContinuousScheduleOptions,
  continuousSchedule,
  type DiscreteScheduleOptions,
  discreteSchedule,
  type ExplodingScheduleOptions,
  explodingSchedule,
  halfLogSnr,
  levelAt,
  levelAtRatio,
  type NoiseSchedule,
  trainingLevel,
} from "./schedule.js";
export {
  type DenoisingBatch,
  type DenoisingNetwork,
  denoisingLoss,
  type FitDenoiserOptions,
  type FittedDenoiser,
  fitDenoiser,
  networkDenoiser,
} from "./training/fit-denoiser.js";
export { type SmallUnetOptions, type SmallUnetParams, smallUnet } from "./training/small-unet.js";
export { harmonicFeatures, sinusoidalFeatures } from "./training/time-features.js";
export { type TimeMlpOptions, type TimeMlpParams, timeMlp } from "./training/time-mlp.js";
export {
  prepareSampling,
  runTrajectory,
  type SamplerOptions,
  type SamplerPoint,
  type SamplerRecord,
  type SamplerResult,
  type SamplerState,
  type Sampling,
  samplerNames,
  stateOf,
  type Trajectory,
  type TrajectoryResult,
} from "./trajectory.js";
