export { type DeepOptions, trainDeep, trainWhole, type WholeNetwork, type WholeOptions } from "./baselines.js";
export type { SolverName, SolverStatus } from "./block-solver.js";
export type { Boosted, GbnnHistory, GbnnStatus } from "./boost.js";
export { type Body, type BoostedHead, boostHead } from "./boost-head.js";
export { applyNetwork, type DenseNetwork, type NetworkOptions, networkLogits, toNetwork } from "./dense-network.js";
export { type FitOptions, fitClassifier, fitRegressor } from "./fit.js";
export {
  type Grid,
  type GridPoint,
  type GridSearchOptions,
  type GridSearchResult,
  gridSearch,
  nestedGridSearch,
} from "./grid-search.js";
export type { HiddenActivation, HiddenLayer, OutputLoss } from "./hidden-layer.js";
export { type BoostLoss, losses } from "./loss.js";
export type { Block, GbnnModel } from "./model.js";
export { loadModel, saveModel } from "./model-file.js";
export type { GbnnOptions, GbnnProgress } from "./options.js";
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
