export type { NormCleaning } from "./gradient-norms.js";
export { resample } from "./gradient-norms.js";
export { type LastIterateState, lastIterate, type StepWeights } from "./last-iterate.js";
export { type LastIterateBound, lastIterateBound } from "./last-iterate-bound.js";
export { type Edge, type Edges, medianFilter } from "./median-filter.js";
export { multiplierSchedule } from "./multiplier-schedule.js";
export { GradientNormRecorder, type GradientNorms, gradientNorms } from "./norm-recorder.js";
export { type OptimizedSchedule, type OptimizeOptions, optimizeSchedule } from "./optimize-schedule.js";
export type { EndedRun, OpenRun, ProcedurePoint } from "./procedure.js";
export { type RefinedSchedule, type RefineOptions, refineSchedule } from "./refine.js";
export { fittedWarmups, type StepOptions, schedules, type WarmupOptions } from "./schedules.js";
export {
  type LossAndGradients,
  type RefineRecord,
  type RefineState,
  type Run,
  type RunNorms,
  type TrainAndRefineOptions,
  type TrainAndRefineResult,
  type TrainingProblem,
  trainAndRefine,
} from "./train-and-refine.js";
export { type OptimalWeights, optimalWeights, weightedBound, weightedStepSizes } from "./weighted-sgd.js";
