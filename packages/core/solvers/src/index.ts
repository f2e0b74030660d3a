export {
  type LanczosOptions,
  type LanczosRecord,
  type LanczosResult,
  type LanczosSettings,
  lanczos,
  lanczosSync,
} from "./eigen/lanczos.js";
export {
  type EigenpairOptions,
  type EigenpairResult,
  type EigenpairSettings,
  type EigenpairState,
  lanczosEigenpairs,
  lanczosEigenpairsSync,
} from "./eigen/lanczos-eigenpairs.js";
export type { LanczosState } from "./eigen/lanczos-process.js";
export {
  type LanczosQuadratureOptions,
  type LanczosQuadratureRecord,
  type LanczosQuadratureResult,
  logDeterminantEstimate,
  stochasticLanczosQuadrature,
} from "./eigen/stochastic-lanczos-quadrature.js";
export { type TridiagonalEigen, tridiagonalEigen } from "./eigen/tridiagonal-eigen.js";
export * as implicit from "./implicit/index.js";
export {
  gaussNewton,
  gaussNewtonSync,
  type LeastSquaresOptions,
  type LeastSquaresRecord,
  type LeastSquaresResult,
  type LeastSquaresRunState,
  type LeastSquaresSettings,
  type LeastSquaresStatus,
  levenbergMarquardt,
  levenbergMarquardtSync,
  type TensorResiduals,
} from "./least-squares/least-squares.js";
export type { LeastSquaresState } from "./least-squares/least-squares-iteration.js";
export type { PlainJacobian, PlainResiduals, Rows } from "./least-squares/residual-space.js";
export { type ArmijoOptions, type ArmijoPoint, armijoSearch, quadraticStep } from "./line-search/armijo-search.js";
export type { LinePoint, LineStart } from "./line-search/line-point.js";
export { type WolfeOptions, wolfeSearch } from "./line-search/wolfe-search.js";
export { conjugateGradients, conjugateGradientsSync } from "./linear/conjugate-gradients.js";
export { geometricMultigrid, type Multigrid, type MultigridOptions } from "./linear/geometric-multigrid.js";
export { type GmresOptions, type GmresSettings, gmres, gmresSync } from "./linear/gmres.js";
export {
  type IncompleteCholesky,
  type IncompleteCholeskyOptions,
  incompleteCholesky,
} from "./linear/incomplete-cholesky.js";
export type { LinearOperator, OperatorLike } from "./linear/linear-operator.js";
export type {
  LinearSolverOptions,
  LinearSolverRecord,
  LinearSolverResult,
  LinearSolverResultSync,
  LinearSolverSettings,
  LinearSolverState,
  LinearSolverStatus,
  LinearState,
} from "./linear/linear-solver.js";
export { minres, minresSync } from "./linear/minres.js";
export { sor, sorSync, ssor, ssorSync } from "./linear/relaxation.js";
export type { RelaxationOptions, RelaxationSettings } from "./linear/relaxation-system.js";
export {
  type SsorConjugateGradientsOptions,
  type SsorConjugateGradientsSettings,
  ssorConjugateGradients,
  ssorConjugateGradientsSync,
} from "./linear/sparse-conjugate-gradients.js";
export { brentMinimize, type ScalarMinimumResult } from "./minimize/brent-minimize.js";
export { type LbfgsOptions, type LbfgsSettings, minimizeLbfgs, minimizeLbfgsSync } from "./minimize/lbfgs.js";
export { type LbfgsbOptions, type LbfgsbSettings, minimizeLbfgsb, minimizeLbfgsbSync } from "./minimize/lbfgsb.js";
export {
  type ConjugacyFormula,
  type ConjugateOptions,
  type ConjugateSettings,
  nonlinearConjugateGradients,
  nonlinearConjugateGradientsSync,
} from "./minimize/nonlinear-conjugate-gradients.js";
export type {
  ObjectiveWithGradient,
  TreeObjective,
  ValueAndGradient,
  VectorObjective,
} from "./minimize/search-space.js";
export type {
  MinimizerOptions,
  MinimizerRecord,
  MinimizerResult,
  MinimizerSettings,
  MinimizerState,
  MinimizerStatus,
  SmoothState,
} from "./minimize/smooth-minimizer.js";
export * as projections from "./projections/index.js";
export * as proximal from "./proximal/index.js";
export { gaussHermite } from "./quadrature/gauss-hermite.js";
export { gaussLegendre, type QuadratureRule } from "./quadrature/gauss-legendre.js";
export { asVariables, type Raveling, raveling } from "./raveled.js";
export { type FixedPointOptions, type FixedPointSyncOptions, fixedPoint, fixedPointSync } from "./root/fixed-point.js";
export { type RootOptions, type RootSyncOptions, root, rootSync } from "./root/root.js";
export { bisection, brentRoot, type ScalarOptions, type ScalarRootResult } from "./root/scalar-root.js";
export type { FixedPointSettings, IterationSettings, RootSettings } from "./root/vector-methods.js";
export type { RootRecord, RootResult, RootRunOptions, RootState, RootStatus, StepOptions } from "./root/vector-run.js";
export { type Breather, makeBreather, turn } from "./run/breather.js";
export { type Figures, figureOf, figuresOf } from "./run/figures.js";
export { breathing, inOneGo, type Parts } from "./run/parts.js";
export { checkRunOptions, type Loop, type RunResult, runLoop, runLoopSync } from "./run/run-loop.js";
export {
  type Checkpoint,
  type RunOptions,
  type RunState,
  runOptionNames,
  runOptionsOf,
} from "./run/run-options.js";
export { requireStateLike } from "./run/state-like.js";
export type { ProgrammeStatus, Status } from "./run/status.js";
