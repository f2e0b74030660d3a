export { type AdjointGradient, type AdjointGradientOptions, adjointGradient } from "./adjoint-gradient.js";
export { type AdjointOptions, type AdjointSample, type AdjointTape, adjointSample } from "./adjoint-sample.js";
export { type BackpropGradient, type BackpropOptions, backpropGradient } from "./backprop.js";
export { type GuidedOptions, guidedSample } from "./guided-sample.js";
export type { AdjointModel, ParametricModel, Wanted } from "./model.js";
export { adamsWeights, type SolverName, type SolverOptions } from "./ode-step.js";
export {
  type FinetuneOptions,
  finetune,
  type NoiseBall,
  type OptimizationOptions,
  type OptimizationPoint,
  type OptimizationRecord,
  type OptimizationResult,
  type OptimizeConditionOptions,
  type OptimizeNoiseOptions,
  optimizeCondition,
  optimizeNoise,
} from "./optimize.js";
export {
  type BlackBoxLoss,
  type ImageDecoder,
  imageLoss,
  type LossWithGradient,
  type SampleLoss,
  type StyleLossOptions,
  styleLoss,
} from "./sample-loss.js";
export {
  type EdictGradientOptions,
  edictGradient,
  type NoiseGradient,
  type OneStepOptions,
  oneStepGradient,
} from "./surrogates.js";
export {
  adjointValueAndGradient,
  type ValueAndGradient,
  type ValueAndGradientOptions,
} from "./value-and-gradient.js";
