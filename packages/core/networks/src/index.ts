export {
  type Activation,
  activation,
  activationGroups,
  type GroupActivation,
  type Groups,
  type MixedActivation,
  neuronActivations,
  type ScalarActivation,
  type SlopeActivation,
} from "./activation.js";
export { derivativeAt, derivativeBounds, type Interval, slopeBounds } from "./derivative-bounds.js";
export { applyActivation, evaluate } from "./evaluate.js";
export { type Affine, type FeedForward, layerShapes, perceptron } from "./feed-forward.js";
export { applyLinear, foldLinear, type LinearPart, linearParts } from "./fold-linear.js";
export { fromOnnx } from "./from-onnx.js";
export {
  type AveragePoolLayer,
  averagePool,
  type BatchNormLayer,
  batchNorm,
  type ConvolutionLayer,
  convolution,
  type FlattenLayer,
  flatten,
  type Layer,
  type LinearLayer,
  linear,
} from "./layer.js";
export type { Parameters, ScalarName } from "./scalar-functions.js";
export { type ToOnnxOptions, toOnnx } from "./to-onnx.js";
