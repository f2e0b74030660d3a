export type { WaitOut } from "./close-round.js";
export type { ClusterProblem } from "./cluster-problem.js";
export { type Patience, type RoundView, relativePatience } from "./conduct-round.js";
export { type CodeKind, type CodeOptions, cyclicCode, type GradientCode } from "./cyclic-code.js";
export {
  bernoulli,
  type DelayOptions,
  type DelayRow,
  type Delays,
  delaysOf,
  drawDelays,
  type GilbertElliottOptions,
  gilbertElliott,
} from "./delays.js";
export { DecodeError, StragglerError } from "./errors.js";
export {
  type ChunkSource,
  type GradientPair,
  gradientWorker,
  type WorkerModel,
  type WorkerRound,
  type WorkerShare,
  type WorkOrder,
  type WorkResult,
} from "./gradient-worker.js";
export { combine, type JobResults, noResults, type TaskResult, withResults } from "./job-results.js";
export { loadBound } from "./load-bound.js";
export { type MSgcOptions, mSgc } from "./m-sgc.js";
export type { ClusterTrainingState, MasterState, ModelUpdate, RoundRecord } from "./master-state.js";
export { type GcOptions, gc, ignoreStragglers, type SchemeCodeOptions, uncoded } from "./one-round-schemes.js";
export { gridKinds, type RoundKinds } from "./round-grid.js";
export {
  type Admission,
  type Assignment,
  begin,
  decodable,
  type JobProgress,
  jobOf,
  type Layout,
  type Placement,
  place,
  type Range,
  recordRound,
  type Scheme,
  type SchemeState,
} from "./scheme.js";
export {
  makeScheme,
  type SchemeTime,
  type SelectableKind,
  type Selection,
  type SelectionState,
  type SelectOptions,
  selectParameters,
} from "./select-parameters.js";
export { type RoundTiming, type SimulateOptions, type Simulation, simulate } from "./simulate.js";
export { type SrSgcOptions, srSgc } from "./sr-sgc.js";
export {
  type ArbitraryModel,
  type BurstyModel,
  isArbitrary,
  isBursty,
  isPerRound,
  type StragglerPattern,
} from "./straggler-models.js";
export { trainOnCluster } from "./train-on-cluster.js";
export type { ClusterTrainingOptions, ClusterTrainingResult } from "./training-options.js";
export { type LoadProfile, type WorkCost, workCost } from "./work-cost.js";
