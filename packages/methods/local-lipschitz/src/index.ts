export { exactBound, globalBound } from "./baselines.js";
export { type Box, type BoxOptions, boxAround } from "./box.js";
export type { Branch, Heuristic, Refresh } from "./branch.js";
export { type ForwardBounds, type ForwardOptions, forwardBounds, type SlopeOptions } from "./forward-bounds.js";
export type { Relaxation } from "./gradient-lines.js";
export { type JacobianBounds, type JacobianOptions, jacobianBounds, jvpBounds } from "./jacobian-bounds.js";
export {
  type BranchAndBoundState,
  type BranchRecord,
  type LocalLipschitz,
  type LocalLipschitzOptions,
  type LocalLipschitzState,
  localLipschitz,
} from "./local-lipschitz.js";
export { type FeatureVerdict, type Monotonicity, type MonotonicityOptions, monotonicity } from "./monotonicity.js";
export type { RowOptions } from "./output-rows.js";
export type { Precision } from "./rounding.js";
export { type SampleOptions, sampleBound } from "./sample-bound.js";
