export type { ImageNetwork, ImageNetworkOptions, NetworkDescription } from "./architectures/image-network.js";
export { imagenetResnet18, imagenetResnet34, resnet18, resnet20, resnet34 } from "./architectures/resnets.js";
export { smallNetwork } from "./architectures/small-network.js";
export { vggSmall } from "./architectures/vgg-small.js";
export { type CropAndFlipOptions, cropAndFlip } from "./augmentation.js";
export { realWeights, standardizedSign, straightThrough, xnorScale } from "./baselines.js";
export { binarizeActivation } from "./binary-activation.js";
export {
  type BinaryConvOptions,
  type BinaryLinearOptions,
  type BinaryParams,
  binaryConv,
  binaryLinear,
} from "./binary-convolution.js";
export { type Chain, chain, type Residual, residual } from "./compose.js";
export { type FitOptions, type FitResult, type FitState, fitNetwork } from "./fit-network.js";
export type { Pair } from "./geometry.js";
export { type LoadedNetwork, loadNetwork, saveNetwork } from "./network-file.js";
export type { Mode, NetworkPart, PartLike } from "./network-part.js";
export { loadOfficialCheckpoint } from "./official-checkpoint.js";
export {
  type PackedActivations,
  type PackedWeights,
  packActivations,
  packWeights,
  unpackActivations,
  unpackWeights,
} from "./pack/bits.js";
export { NotBinarizedError } from "./pack/not-binarized-error.js";
export { packNetwork } from "./pack/pack-network.js";
export { loadPacked, savePacked } from "./pack/packed-file.js";
export type { PackedModel } from "./pack/packed-model.js";
export type { PackedLayer } from "./pack/packed-part.js";
export { type XnorOptions, xnorConv2d } from "./pack/xnor-convolution.js";
export * as parts from "./parts.js";
export { type PredictOptions, predict } from "./predict.js";
export {
  gaussianMoments,
  laplaceMoments,
  type QuantizationReport,
  quantizationError,
  quantizationReport,
  type WaveMoments,
} from "./quantization-error.js";
export { sineRegularizer } from "./regularizer.js";
export { learningRateAt, tauAt } from "./schedules.js";
export { squareWave } from "./square-wave.js";
export { cifar10Stages, imagenetStages, type StageOptions } from "./stage-options.js";
export type { FitRecord } from "./train-stage.js";
export type { TrainedNetwork } from "./trained-network.js";
export type { Augmentation, BatchSource, LabelledBatch, TrainingData } from "./training-data.js";
export { periodic, type Stage, type WeightRule } from "./weight-rules.js";
