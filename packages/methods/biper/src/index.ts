export type { ImageNetwork, ImageNetworkOptions, NetworkDescription } from "./architectures/image-network.js";
export { imageNetworks } from "./architectures/named.js";
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
export { chain, residual } from "./compose.js";
export {
  type BestSoFar,
  type EpochRecord,
  type FitProgress,
  type FitStageOptions,
  type FitStageResult,
  fitStage,
  type SharedFitOptions,
  type StageCheckpoint,
} from "./fit-stage.js";
export { type FitCheckpoint, type FitOptions, type FitResult, fitTwoStages } from "./fit-two-stages.js";
export * as parts from "./float-parts.js";
export type { Geometry, Pair, WindowOptions } from "./geometry.js";
export { type LoadedNetwork, loadNetwork, type SaveOptions, saveNetwork } from "./network-file.js";
export type { BinaryLayer, Mode, NetworkPart, PartLike } from "./network-part.js";
export { loadOfficialCheckpoint } from "./official-checkpoint.js";
export {
  type PackedActivations,
  type PackedWeights,
  packActivations,
  packWeights,
  unpackActivations,
  unpackWeights,
} from "./pack/bits.js";
export type { KernelChoice } from "./pack/engine.js";
export { NotBinarizedError } from "./pack/not-binarized-error.js";
export { type PackOptions, packNetwork } from "./pack/pack-network.js";
export { loadPacked, savePacked } from "./pack/packed-file.js";
export { PackedModel, type RunOptions } from "./pack/packed-model.js";
export type * from "./pack/packed-part.js";
export { type XnorOptions, xnorConv2d } from "./pack/xnor-convolution.js";
export { type PredictOptions, predict } from "./predict.js";
export {
  gaussianMoments,
  type LayerFigures,
  laplaceMoments,
  type QuantizationReport,
  quantizationError,
  quantizationReport,
  type WaveMoments,
} from "./quantization-error.js";
export { sineRegularizer } from "./regularizer.js";
export { type LearningRateOptions, learningRateAt, type TauOptions, tauAt } from "./schedules.js";
export { sineWave, squareWave } from "./square-wave.js";
export { cifar10Stages, imagenetStages, type StageOptions } from "./stage-options.js";
export type { TrainedNetwork } from "./trained-network.js";
export type { Augmentation, BatchOptions, BatchSource, LabelledBatch, TrainingData } from "./training-data.js";
export { periodic, type RegularizerKind, type Stage, type WeightRule } from "./weight-rules.js";
