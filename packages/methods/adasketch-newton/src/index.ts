export { adaSketchNewton } from "./adasketch-newton.js";
export { augmentedLagrangian } from "./augmented-lagrangian.js";
export type { BaselineOptions, BaselineRecord, BaselineResult, BaselineState } from "./baseline.js";
export { type L1SqpOptions, l1Sqp } from "./l1-sqp.js";
export { type ExactAugmentedLagrangian, exactAugmentedLagrangian, type MeritPenalties } from "./merit.js";
export type {
  AdaSketchOptions,
  AdaSketchRecord,
  AdaSketchResult,
  AdaSketchState,
  DirectionState,
  EqualityStatus,
  Evaluations,
  Theta,
} from "./options.js";
export type { EqualityCallbacks, EqualityProblem, FirstOrder } from "./problem.js";
export type { SaddleSettings } from "./saddle-system.js";
export type { Sketch } from "./sketch.js";
export {
  type SketchSolveOptions,
  type SketchSolveRecord,
  type SketchSolveResult,
  type SketchSolveState,
  sketchSolve,
} from "./sketch-solve.js";
