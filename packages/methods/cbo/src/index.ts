export { type CboOptions, cbo, type NoiseKind } from "./cbo.js";
export { cboTrain } from "./cbo-train.js";
export { consensusHopping, type HoppingOptions } from "./consensus-hopping.js";
export { type ConsensusPoint, consensusPoint } from "./consensus-point.js";
export type { GradientSource } from "./gradient.js";
export {
  type DescentRecord,
  type DescentState,
  type GradientDescentOptions,
  type GradientDescentResult,
  gradientDescent,
} from "./gradient-descent.js";
export { type Hop, type HopOptions, hopGradient } from "./hop-gradient.js";
export type { BatchedObjective, Objective } from "./objective.js";
export { type PathDiagnostics, pathDiagnostics } from "./path-diagnostics.js";
export type { CboProblem } from "./problem.js";
export { proximalPath, proximalStep } from "./proximal-step.js";
export {
  type RandomSearchOptions,
  type RandomSearchRecord,
  type RandomSearchResult,
  type RandomSearchState,
  randomSearch,
} from "./random-search.js";
export type { StartOptions } from "./start.js";
export type { BestParticle, SwarmOptions, SwarmRecord, SwarmResult, SwarmState } from "./swarm-options.js";
export type {
  EpochRecord,
  SwarmTrainingOptions,
  SwarmTrainingResult,
  SwarmTrainingState,
  TrainingData,
} from "./training-options.js";
export { type SwarmModel, type TreeModel, treeModel } from "./tree-model.js";
