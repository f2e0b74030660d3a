export { type Baseline, type BaselineOptions, baselines } from "./baselines.js";
export type { InnerPoint, InnerProblem, OptimizerStep } from "./inner-problem.js";
export type { InnerOptions, InnerResult, InnerSolver } from "./inner-solvers.js";
export { OnlineSso, type OnlineSsoOptions } from "./online-sso.js";
export { type RateSchedule, scheduleFactor } from "./rate-schedule.js";
export { majorizeMinimize, type SsoRecord, type SsoResult, type SsoState, sso } from "./sso.js";
export type { SsoOptions } from "./sso-options.js";
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
