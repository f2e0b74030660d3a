export {
  type ClassifierOptions,
  type ClassifierRecord,
  type ClassifierResult,
  fitClassifier,
  type SparseClassifier,
} from "./classification.js";
export { type DenseArchitecture, type SampleOptions, sampleNetworks } from "./finite-networks.js";
export { type EvidenceOptions, type EvidenceResult, fitByEvidence } from "./fit-by-evidence.js";
export {
  type Candidates,
  type Choice,
  fitByValidation,
  type Observations,
  type ValidationOptions,
  type ValidationRecord,
  type ValidationResult,
} from "./fit-by-validation.js";
export {
  type EnsembleOptions,
  type EnsembleResult,
  type EnsembleWeights,
  fitEnsemble,
  type NetworkEnsemble,
} from "./network-ensemble.js";
export type { Prediction } from "./prediction.js";
export { type RegressOptions, regress, type ScaleMixtureProcess } from "./regression.js";
export type { ScaleBelief, ScaleInference, ScaleProposal } from "./scale-posterior.js";
export type { ScalePrior } from "./scale-prior.js";
export type { ClassifierPrior, VariationalParameters } from "./variational-objective.js";
export { type NetworkLaw, type NetworkTask, type Trained, wideNetworkLaw } from "./wide-network-law.js";
