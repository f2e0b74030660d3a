export { behaviourCloning, type CloningOptions, type CloningParams } from "./behaviour-cloning.js";
export { conjugate, conjugateSlope, type Divergence, policyWeight, ratioWeight } from "./f-divergence.js";
export {
  type ActOptions,
  gaussianNll,
  loadPolicy,
  makePolicy,
  type Policy,
  type PolicyParams,
  type PolicySettings,
} from "./gaussian-policy.js";
export { fitIql, type IqlOptions, type IqlParams, type IqlResult } from "./iql.js";
export {
  type FourierOptions,
  fourierFeatures,
  type NetworkShape,
  type PolicyNetwork,
  type PolicyNetworkOptions,
  policyNetwork,
  type ValueNetwork,
  type ValueNetworkOptions,
  valueNetwork,
} from "./networks.js";
export { fitOdice, type OdiceOptions, type OdiceParams, type OdiceResult, type PolicyOptions } from "./odice.js";
export {
  bestEpisodes,
  episodesOf,
  type LoggedSteps,
  normalizedScore,
  type ObservationScaling,
  type OfflineArrays,
  type OfflineDataset,
  offlineDataset,
  type QlearningOptions,
  qlearningDataset,
  type RewardTransform,
  scaledRewards,
} from "./offline-dataset.js";
export type { OfflineOptions, OfflinePoint, OfflineRecord, OfflineResult, OfflineState } from "./offline-training.js";
export { type OrthogonalGradient, orthogonalGradient } from "./orthogonal-gradient.js";
export { type Hdf5Reader, isHdf5, readD4rl } from "./read-d4rl.js";
export {
  solveTabularDice,
  type TabularDiceOptions,
  type TabularDiceResult,
  type TabularPoint,
  type TabularProblem,
  type TabularRecord,
  type TabularTransition,
} from "./tabular-dice.js";
export {
  type OfflineBatch,
  type ValueFunction,
  type ValueGradients,
  type ValueSettings,
  type ValueUpdate,
  valueGradients,
} from "./value-gradients.js";
