export type { Convolution, ConvolutionFactory } from "./convolution.js";
export { type LabelPropagationOptions, labelPropagation } from "./label-propagation.js";
export { type LinkLogit, linkLogits, linkLoss } from "./link-objectives.js";
export {
  embedNodes,
  fitLinkPredictor,
  type LinkFit,
  type LinkMethod,
  type LinkPredictor,
  linkAuc,
  linkMethods,
  type ScoreOptions,
  scorePairs,
  untrainedLinkPredictor,
} from "./link-predictor.js";
export type { LinkOptions, LinkTask } from "./link-setting.js";
export {
  fitLayerwise,
  type LayerwiseFit,
  type LayerwiseOptions,
  type LocalStepInput,
  localStep,
} from "./local-step.js";
export { type LoadOptions, loadModel, saveModel } from "./model-file.js";
export { type NeighbourScore, neighbourScores } from "./neighbour-scores.js";
export {
  fitNodeClassifier,
  type NodeClassifier,
  type NodeFit,
  type NodeMethod,
  type NodePrediction,
  nodeMethods,
  type PredictOptions,
  predictNodes,
  untrainedNodeClassifier,
} from "./node-classifier.js";
export type { NodeTask, PredictionTask } from "./node-task.js";
export { classLogits, forwardForwardLoss, goodness, singleForwardLoss } from "./objectives.js";
export type { NodeOptions, Settled, TrainingOptions } from "./options.js";
export type { EpochRecord, TrainingRun, TrainingRunOptions, TrainingState, TrainingStatus } from "./staged-training.js";
export { type TrainingMemory, trainingMemory } from "./training-memory.js";
export { unitRows } from "./unit-rows.js";
export { augmentWithVirtualNodes, type Direction } from "./virtual-nodes.js";
