export { type Baseline, baselines } from "./baselines.js";
export type { BaselineResult, BaselineState, DescentOptions, DescentPlace } from "./descent.js";
export type { InnerPoint, InnerProblem, InnerStep } from "./inner-problem.js";
export type { InnerOptions, InnerResult, InnerSolver } from "./inner-solvers.js";
export { OnlineSso, type OnlineSsoOptions } from "./online-sso.js";
export { type RateSchedule, scheduleFactor } from "./rate-schedule.js";
export { majorizeMinimize, type SsoResult, sso } from "./sso.js";
export type { MajorizeOptions, SsoOptions, SsoState, SurrogateOptions } from "./sso-options.js";
export type { Consultation, OracleRecord, SsoPlace, SsoRecord } from "./sso-step.js";
export type { BatchChoice, TargetData } from "./target-data.js";
export { type Metric, type MetricState, type TargetLineSearchOptions, targetLineSearch } from "./target-metric.js";
export { type ExactStepOptions, exactStep, linearModel, type TargetModel } from "./target-model.js";
export {
  estimateSmoothness,
  losses,
  type OracleAnswer,
  type OracleCalls,
  type OracleNeeds,
  type TargetLoss,
  type TargetOracle,
} from "./target-oracle.js";
export { type Proximity, TargetSurrogate } from "./target-surrogate.js";
