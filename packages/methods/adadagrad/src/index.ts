export {
  type AdagradCoordinatesOptions,
  type AdagradNormOptions,
  type AdagradNormState,
  type AdaptiveStepOptions,
  adagradCoordinates,
  adagradNorm,
} from "./adagrad-norm.js";
export {
  type BatchController,
  type BatchControllerOptions,
  type BatchRule,
  type BatchState,
  batchController,
} from "./batch-controller.js";
export { type BatchTest, nextBatchSize, requiredBatchSize } from "./batch-test.js";
export { type GradientStats, gradientStats, type StatsOptions } from "./gradient-stats.js";
export { type BatchPlan, planBatch } from "./plan-batch.js";
export { type PooledStatsOptions, pooledStats } from "./pooled-stats.js";
export type { OrderState } from "./sample-order.js";
export {
  cosineBySamples,
  type DecayBySamples,
  linearBySamples,
  type SampleSchedule,
  stepsBySamples,
} from "./sample-schedules.js";
export {
  type DenseLayer,
  type DenseParams,
  denseStatistics,
  type Moments,
  perSampleStatistics,
  type SampleLoss,
  type SampleStatistics,
} from "./sample-statistics.js";
export {
  type AdaptiveOptions,
  type AdaptivePlace,
  type AdaptiveProblem,
  type AdaptiveResult,
  type AdaptiveState,
  type StepRecord,
  trainAdaptive,
} from "./train-adaptive.js";
