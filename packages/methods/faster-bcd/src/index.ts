export { type ActiveSetAt, activeSet, activeSetBound } from "./active-set.js";
export { type BcdResult, bcd } from "./bcd.js";
export { BcdSolver } from "./bcd-solver.js";
export type { BlockObjective } from "./block-objective.js";
export { forestBlock, forestPartition } from "./blocks/forest-block.js";
export type { DependencyGraph } from "./blocks/graph.js";
export { checkerboard, combs } from "./blocks/lattice.js";
export { redBlackPartition } from "./blocks/red-black.js";
export type { MatrixInput } from "./design-matrix.js";
export { forestSolve } from "./forest-solve.js";
export { fromTraceable } from "./objectives/from-traceable.js";
export { type LabelPropagation, labelPropagation } from "./objectives/label-propagation.js";
export { leastSquares } from "./objectives/least-squares.js";
export { linearModel } from "./objectives/linear-model.js";
export { logistic } from "./objectives/logistic.js";
export { quadratic } from "./objectives/quadratic.js";
export type { RowLoss } from "./objectives/row-loss.js";
export { softmaxRegression } from "./objectives/softmax-regression.js";
export type {
  BcdMethodOptions,
  BcdOptions,
  BcdPoint,
  BcdProblem,
  BcdRecord,
  BcdRunState,
  BcdState,
  BcdStatus,
  BlockChoice,
  BlockUpdate,
  NamedBlocks,
  SelectionRule,
} from "./options.js";
export type { Composite } from "./separable.js";
export type { SmoothMemory, SmoothState } from "./smooth-state.js";
