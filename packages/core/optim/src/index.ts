export { type AdabeliefOptions, type AdabeliefState, adabelief } from "./adabelief.js";
export { type AdadeltaOptions, type AdadeltaState, adadelta } from "./adadelta.js";
export { type AdagradOptions, type AdagradState, adagrad } from "./adagrad.js";
export {
  type AdamOptions,
  type AdamState,
  type AdamWOptions,
  type AmsgradState,
  adam,
  adamw,
  amsgrad,
  biasCorrection,
  normalised,
  runningMean,
  unbiased,
} from "./adam.js";
export { type AdamaxOptions, type AdamaxState, adamax } from "./adamax.js";
export { type BatchSource, BatchStream, batchesOf } from "./batch-stream.js";
export { type ChainState, chain } from "./chain.js";
export {
  descend,
  type ElementwiseOptions,
  type ElementwiseRule,
  type ElementwiseState,
  elementwiseOptimizer,
  type UpdateContext,
} from "./elementwise.js";
export {
  addDecayedWeights,
  clipByGlobalNorm,
  clipByValue,
  type EmptyState,
  globalNorm,
  keepNonNegative,
  scale,
  setToZero,
} from "./gradient-transforms.js";
export {
  accuracy,
  binaryCrossEntropy,
  type CrossEntropyOptions,
  crossEntropy,
  hingeLoss,
  huberLoss,
  type LossOptions,
  meanSquaredError,
} from "./losses.js";
export {
  type MinimizeOptions,
  type MinimizePoint,
  type MinimizeRecord,
  type MinimizeResult,
  type MinimizeState,
  minimize,
} from "./minimize.js";
export { requireRate } from "./option-checks.js";
export type { FloatArray } from "./parameter-leaves.js";
export { type MaskedState, masked, type PartitionState, partition } from "./partition.js";
export { type RmspropOptions, type RmspropState, rmsprop } from "./rmsprop.js";
export {
  type CosineOptions,
  constantSchedule,
  cosineSchedule,
  type ExponentialOptions,
  exponentialSchedule,
  inverseSquareRootSchedule,
  type PolynomialOptions,
  piecewiseSchedule,
  polynomialSchedule,
  type Schedule,
  warmupSchedule,
} from "./schedules.js";
export type { Selection, SelectionTree } from "./selection.js";
export { type SgdOptions, type SgdState, sgd } from "./sgd.js";
export {
  type LossInputs,
  type TrainingPoint,
  type TrainingRecord,
  type TrainingState,
  type TrainOptions,
  type TrainResult,
  train,
} from "./train.js";
export { disposeReplaced, onHost, type StepResult, type TrainingStep, trainingStep } from "./training-step.js";
export { applyUpdates, type GradientTransformation, requireOptimizer, type Update } from "./transformation.js";
