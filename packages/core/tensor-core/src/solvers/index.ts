export { brentMinimize, type ScalarMinimumResult } from "./brent-minimize.js";
export { conjugateGradients } from "./conjugate-gradients.js";
export { gaussHermite } from "./gauss-hermite.js";
export { gaussLegendre, type QuadratureRule } from "./gauss-legendre.js";
export { type GmresOptions, gmres } from "./gmres.js";
export type { IterationOptions, IterationProgress } from "./iteration.js";
export {
  type LanczosEigenOptions,
  type LanczosEigenResult,
  type LanczosOptions,
  type LanczosResult,
  lanczos,
  lanczosEigenpairs,
} from "./lanczos.js";
export { lbfgs } from "./lbfgs.js";
export { type BoundedMinimizerOptions, lbfgsb } from "./lbfgsb.js";
export { type LineFunction, type WolfeOptions, wolfeSearch } from "./line-search.js";
export type { LinearOperator, OperatorLike } from "./linear-operator.js";
export type { LinearSolverOptions, LinearSolverResult, LinearSolverStatus } from "./linear-solver.js";
export { minres } from "./minres.js";
export { sor, ssor } from "./relaxation.js";
export type { RelaxationOptions } from "./relaxation-system.js";
export { bisection, brentRoot, type ScalarOptions, type ScalarRootResult } from "./scalar-root.js";
export type { MinimizerOptions, MinimizerResult, MinimizerStatus, ObjectiveWithGradient } from "./smooth-minimizer.js";
export { type SsorConjugateGradientsOptions, ssorConjugateGradients } from "./ssor-conjugate-gradients.js";
export {
  type LanczosQuadratureOptions,
  type LanczosQuadratureResult,
  logDeterminantEstimate,
  stochasticLanczosQuadrature,
} from "./stochastic-lanczos-quadrature.js";
export { type TridiagonalEigen, tridiagonalEigen } from "./tridiagonal-eigen.js";
