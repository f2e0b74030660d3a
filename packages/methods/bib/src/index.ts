export { type AdaptiveRate, type AdaptiveRateState, type AdaptiveUpdate, adaptiveRate } from "./adaptive-rate.js";
export type { Moments, RateBounds } from "./adaptive-rules.js";
export { dna, encodeSequences, hammingDistance, protein } from "./alphabet.js";
export { type CbasModel, type CbasOptions, cbasSequences } from "./baselines/cbas.js";
export {
  type AutoencoderParams,
  type CbasVaeModel,
  type CbasVaeOptions,
  cbasVaeSequences,
} from "./baselines/cbas-vae.js";
export {
  type ComsOptions,
  type ComsPoint,
  type ComsRecord,
  type ComsResult,
  type ComsState,
  comsSequences,
} from "./baselines/conservative.js";
export { type EvolveOptions, evolveSequences } from "./baselines/evolve.js";
export type {
  Scored,
  SearchOptions,
  SearchPoint,
  SearchRecord,
  SearchResult,
  SearchState,
} from "./baselines/letter-search.js";
export { type ReinforceOptions, type ReinforcePolicy, reinforceSequences } from "./baselines/reinforce.js";
export type { RisingLevelOptions } from "./baselines/rising-level.js";
export {
  type BackwardTable,
  type BidirectionalOptions,
  bidirectionalLoss,
  type OfflineFeatures,
} from "./bidirectional-loss.js";
export {
  type BalanceOptions,
  type BalanceResult,
  type DesignFigures,
  type DesignPoint,
  type DesignRecord,
  type DesignState,
  descendBalanced,
} from "./descend-balanced.js";
export {
  type DesignMode,
  type DesignOptions,
  type DesignResult,
  type DesignWithOptions,
  designFigures,
  designSequences,
  designWith,
  type FigureOptions,
} from "./design-sequences.js";
export { type DnaLandscape, dnaLandscape } from "./example/dna-landscape.js";
export { type ExampleModelOptions, loadExampleModel } from "./example/example-model.js";
export {
  type FitTableOptions,
  type FittedTensors,
  fitTable,
  type OfflineTable,
  predictScores,
  type TableFit,
} from "./fit-table.js";
export { type ForwardMap, type ForwardOptions, fitForward } from "./forward-map.js";
export { type JacobianOptions, jacobianModel } from "./jacobian-model.js";
export { type DesignJudgement, judgeDesigns, lowestRows } from "./judge-designs.js";
export { readSequenceModel, type SavedModel, saveSequenceModel } from "./model-file.js";
export { type OnnxParameters, type OnnxSequencesOptions, onnxSequences } from "./onnx-sequences.js";
export type { Pooling } from "./pooling.js";
export { initialLogits, kmerRelax, straightThrough } from "./relaxation.js";
export type { AuxiliaryModel, KernelModel, RelaxedModel } from "./relaxed-model.js";
export { type NtkModelOptions, ntkModel, reluNtk } from "./relu-ntk.js";
export {
  type BertSequencesOptions,
  bertSequences,
  type Gpt2SequencesOptions,
  gpt2Sequences,
  type SequenceBert,
} from "./sequence-models.js";
export {
  type SequenceTrainingState,
  type TrainSequenceOptions,
  type TrainSequenceResult,
  trainSequenceModel,
} from "./train-sequence-model.js";
