export {
  type BurgersOptions,
  type BurgersProblem,
  burgers,
  type SolveBurgersOptions,
  solveBurgers,
} from "./burgers.js";
export type { Fields, PdeConstraint, Rows } from "./constraint.js";
export type { ConstraintOptions } from "./constraint-options.js";
export {
  firstDifference,
  firstDifferenceToTheEnds,
  periodicDifference,
  periodicSecondDifference,
  secondDifference,
} from "./differences.js";
export {
  type DiffusionSorptionOptions,
  type DiffusionSorptionProblem,
  diffusionSorption,
  type SolveDiffusionSorptionOptions,
  solveDiffusionSorption,
} from "./diffusion-sorption.js";
export type { ExpertData } from "./expert-problems.js";
export {
  type ClusterSolution,
  type ExpertAnswer,
  type ExpertTask,
  expertJob,
  solveOnCluster,
} from "./experts-on-cluster.js";
export { type FourierBasisOptions, type FourierBasisParams, fourierBasis } from "./fourier-basis.js";
export {
  type Constrained,
  type ConstraintSolution,
  hardConstraint,
  solveConstraint,
} from "./hard-constraint.js";
export type { Solving } from "./learned-solution.js";
export {
  type NavierStokes2dOptions,
  type NavierStokes2dProblem,
  navierStokes2d,
  randomVorticity,
  solveNavierStokes2d,
} from "./navier-stokes.js";
export { type Experts, partition, unpartition } from "./partition.js";
export {
  type Evaluation,
  evaluateSolver,
  type FitSolverOptions,
  type FitSolverResult,
  fitSolver,
  type TrainPoint,
  type TrainRecord,
} from "./train.js";
