export type { GivenDraw } from "./block-draws.js";
export { type BsvrbResult, bsvrb } from "./bsvrb.js";
export type { DriftingState } from "./drifting-rows.js";
export type { Estimator } from "./iteration.js";
export {
  type JoinedBatch,
  type JoinOptions,
  joinBlocks,
  type MultiBlockHypergradientOptions,
  multiBlockHypergradient,
} from "./joined-blocks.js";
export { type LinearScores, linearScores } from "./linear-scores.js";
export {
  type BinaryExamples,
  type MultiScaleLogistic,
  type MultiScaleLogisticOptions,
  multiScaleLogistic,
} from "./multi-scale-logistic.js";
export { type NdcgOptions, type NdcgProblem, ndcg, ndcgProblem, type RankedQuery, type TopK } from "./ndcg.js";
export type { BsvrbOptions, BsvrbPlace, BsvrbPoint, BsvrbState, HessianState } from "./options.js";
export { nearestPositiveDefinite } from "./positive-definite.js";
export { type RsvrbKept, type RsvrbOptions, rsvrb } from "./rsvrb.js";
