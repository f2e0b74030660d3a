export type { AdmmState } from "./admm-state.js";
export type { DualBound } from "./dual-bound.js";
export { type EnumeratePatternsOptions, enumeratePatterns } from "./enumerate-patterns.js";
export type { Loss } from "./loss.js";
export { predict, type TwoLayerNet } from "./network.js";
export type * from "./options.js";
export { type Patterns, patternBound, patternCount, sampleBound } from "./patterns.js";
export { type SamplePatternsOptions, samplePatterns } from "./sample-patterns.js";
export { trainConvex } from "./train-convex.js";
