export { type DeepOptions, trainDeep, trainWhole, type WholeNetwork, type WholeOptions } from "./baselines.js";
export type { DescentState, SolvedLayer, SolverName, SolverRecord, SolverState, SolverStatus } from "./block-solver.js";
export type { Boosted, GbnnRecord, GbnnState } from "./boost.js";
export { type Body, type BoostedHead, boostHead } from "./boost-head.js";
export type { Targets, Task } from "./cross-validation.js";
export { applyNetwork, type DenseNetwork, type NetworkOptions, networkLogits, toNetwork } from "./dense-network.js";
export { fitClassifier, fitRegressor } from "./fit.js";
export type { FoldQuestion, FoldWorkers } from "./fold-job.js";
export {
  type Fitting,
  type Grid,
  type GridPoint,
  type GridRecord,
  type GridScores,
  type GridSearchOptions,
  type GridSearchResult,
  type GridSearchSettings,
  type GridState,
  type GridValues,
  gridSearch,
} from "./grid-search.js";
export type { HiddenActivation, HiddenLayer, OutputLoss } from "./hidden-layer.js";
export { type BoostLoss, losses } from "./loss.js";
export type { Block, GbnnModel } from "./model.js";
export { loadModel, saveModel } from "./model-file.js";
export {
  type NestedGridSearchOptions,
  type NestedGridSearchResult,
  type NestedRecord,
  type NestedScores,
  type NestedState,
  nestedGridSearch,
} from "./nested-grid-search.js";
export type { FitOptions, GbnnOptions } from "./options.js";
export {
  additiveDecision,
  decisionValues,
  type PredictOptions,
  predictClasses,
  predictNumbers,
  predictProbabilities,
  stagedScore,
} from "./predict.js";
export { boostStumps, type StumpOptions } from "./stumps.js";
