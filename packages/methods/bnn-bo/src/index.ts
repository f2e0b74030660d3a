export {
  type AcquisitionName,
  expectedHypervolumeImprovement,
  expectedImprovement,
  probabilityOfImprovement,
  upperConfidenceBound,
} from "./acquisition.js";
export { type CompareOptions, compareSurrogates, type SurrogateTrace } from "./compare-surrogates.js";
export { type DklOptions, dkl } from "./deep-kernel.js";
export * from "./hamiltonian.js";
export { hypervolume, paretoFront, type ValueBox } from "./hypervolume.js";
export { type LaplaceOptions, type LaplaceStructure, laplace, laplacePosterior } from "./laplace.js";
export {
  type EnsembleOptions,
  ensemble,
  type HmcOptions,
  hmc,
  type NetworkOptions,
  type SghmcOptions,
  sghmc,
} from "./network-surrogates.js";
export { type ClusterTrialOptions, objectiveOnCluster, type TrialCluster } from "./objective-on-cluster.js";
export { type BoOptions, type BoProblem, type BoRecord, type BoResult, type BoState, optimize } from "./optimize.js";
export {
  type BayesianOptimizer,
  bayesianOptimizer,
  type OptimizerOptions,
  type OptimizerState,
  type Trial,
} from "./optimizer.js";
export type { BoSurrogate, FitContext, ModelTree, SampledPosterior, Sampler } from "./posterior.js";
export { type GpOptions, gp, type IbnnOptions, ibnn } from "./process-surrogates.js";
export { type NetworkShape, type RegressionNetwork, regressionNetwork } from "./regression-network.js";
export type { SearchSpace, Settings, Variable } from "./search-space.js";
export type { TuningOptions } from "./tuned-variances.js";
