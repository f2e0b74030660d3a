export { type Activation, type ActivationName, activation } from "./activations.js";
export {
  type AttentionInputs,
  type AttentionMasks,
  type AttentionOptions,
  type AttentionParams,
  dotProductAttention,
  type MultiHeadAttention,
  multiHeadAttention,
} from "./attention.js";
export { type MlpOptions, mlp, residual, type SequentialParams, type Stage, sequential } from "./compose.js";
export {
  type ConvLayerOptions,
  type ConvParams,
  type ConvTransposeLayerOptions,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
} from "./convolution.js";
export { type DescribedModel, loadDescribed, saveDescribed } from "./described-model.js";
export { dropout, dropoutMask } from "./dropout.js";
export { type EmbeddingOptions, type EmbeddingParams, embedding } from "./embedding.js";
export { type Fans, type Initializer, initializers } from "./initializers.js";
export type { FloatType, Layer } from "./layer.js";
export { type LinearOptions, type LinearParams, linear } from "./linear.js";
export {
  type BatchNorm,
  type BatchNormOptions,
  type BatchNormState,
  batchNorm,
  type GroupNormOptions,
  groupNorm,
  layerNorm,
  type NormOptions,
  type NormParams,
  rmsNorm,
} from "./normalization.js";
export { countParameters, drawParameters, loadParameters, saveParameters } from "./parameter-file.js";
export {
  gru,
  type LstmState,
  lstm,
  type Recurrent,
  type RecurrentOptions,
  type RecurrentParams,
  type SequenceOptions,
} from "./recurrent.js";
