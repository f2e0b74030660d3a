export { AffineMatrix, type NumberRows } from "./affine-matrix.js";
export { type ChordalDecomposition, chordalDecompose } from "./chordal.js";
export { type ConeBlock, type Cones, coneBlocks, svecLength } from "./cones.js";
export { ConicModel, type ConicModelResult, type VariableShape, type WeightedSquares } from "./conic-model.js";
export {
  type ConicMethod,
  type ConicOptions,
  type ConicProgress,
  type ConicState,
  conicOptionNames,
} from "./conic-options.js";
export { type HardMarginResult, hardMarginSvm } from "./hard-margin-svm.js";
export {
  type LinearRow,
  type Lmi,
  type LmiProblem,
  lmiToConic,
  type SymmetricEntries,
  symmetricEntries,
} from "./lmi.js";
export {
  type InnerProductConstraint,
  type NuclearNormProblem,
  type NuclearNormResult,
  nuclearNormMin,
} from "./nuclear-norm-min.js";
export type { ConicOperator, ConicProblem } from "./problem.js";
export { projectCone } from "./project-cone.js";
export { formatSdpa } from "./sdpa-format.js";
export { type ConicResult, solveConic } from "./solve-conic.js";
export { fullToSvec, smat, svec, svecIndex, svecToFull } from "./svec.js";
export type { ConicResiduals } from "./termination.js";
