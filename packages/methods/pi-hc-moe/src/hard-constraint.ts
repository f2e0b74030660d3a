import { implicit, type LeastSquaresOptions, levenbergMarquardt } from "@offprint/solvers";
import {
  add,
  mul,
  requireObject,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  type TensorLike,
} from "@offprint/tensor-core";
import type { Fields, PdeConstraint } from "./constraint.js";
import { type ConstraintOptions, checkConstraint } from "./constraint-options.js";
import { dependence, gaussNewtonGradient, gradientNorms, squaresGradient } from "./expert-gradient.js";
import { assembled, type ExpertData, expertProblems, expertResiduals, iterationOptions } from "./expert-problems.js";

/** What {@link hardConstraint} gives. */
export interface Constrained {
  /** `[batch, ...grid]` the solution. */
  readonly u: Tensor;
  /** The solution's fields on the whole grid, each `[batch, ...grid]`: derivatives see the interfaces of blocks. */
  readonly fields: Fields;
  /** `[batch, experts, N]`. */
  readonly weights: Tensor;
  /**
   * `[batch, experts]` largest entries of the gradients J^T F that are left, as parts of the problem's size: at most the
   * tolerance where it converged.
   */
  readonly gradientNorms: Tensor;
  /**
   * `[batch, experts]` 1 where an expert's functions depend on each other at its points and no ridge tells them apart: its
   * weights are some of many, and the gradient is that of a damped system. 0 elsewhere.
   */
  readonly dependent: Tensor;
}

/**
 * The hard constraint as a layer (section 3): in each block of the grid an expert combines the basis functions so that
 * the squares of the equation's residual are least, by Levenberg and Marquardt, all experts and problems at once; the
 * pieces make the solution. Differentiable in the basis by the implicit function theorem, traced and compiled.
 *
 * @param basis - `[batch, ...grid, N]`, what a network gave.
 * @throws ShapeError, ValueError for what does not fit.
 * @see https://arxiv.org/abs/2402.13412
 */
export function hardConstraint<P>(
  basis: TensorLike,
  pde: PdeConstraint<P>,
  problem: P,
  options: ConstraintOptions = {},
): Constrained {
  requireObject("hardConstraint", "pde", pde, "a PdeConstraint");
  const owner = "hardConstraint";
  const settings = checkConstraint(owner, pde, options);
  const { shaped, data, initial } = expertProblems(owner, basis, pde, problem, settings);
  const residuals = (w: Tensor, given: ExpertData) => expertResiduals(pde.residual, settings.ridge, w, given);
  const { maxIterations, tolerance } = settings;
  const solve = implicit.leastSquares(residuals, {
    ...{ gradientTolerance: tolerance, stepTolerance: 1e-14, maxIterations, inexact: true },
    normalEquations: true,
  });
  const reached = stopGradient(solve(initial, data));
  const { dependent, damping } = dependence(residuals, settings.ridge, reached, data);
  const slope = settings.hessian === "full" ? squaresGradient(residuals) : gaussNewtonGradient(residuals);
  const stationary = (w: Tensor, given: ExpertData) => {
    const g = slope(w, given);
    return damping === null ? g : add(g, mul(damping, sub(w, stopGradient(w))));
  };
  const found = implicit.withGradient(stationary, { batched: true })(reached, data);
  return {
    ...assembled(pde, problem, shaped, found, settings.experts),
    gradientNorms: gradientNorms(residuals, found, data),
    dependent,
  };
}

/** What {@link solveConstraint} gives. */
export interface ConstraintSolution extends Constrained {
  /** Which experts have converged: `[batch, experts]` in order. */
  readonly converged: readonly boolean[];
  /** Iterations of the slowest. */
  readonly iterations: number;
  /** Half the sums of squares, `[batch, experts]`. */
  readonly objective: Tensor;
}

/**
 * The same solve where no gradient is asked for: it says how each expert ended, and can be watched and stopped. The records of
 * `onProgress` are of residuals divided by the root of each expert's size, of which the tolerance is a part.
 * @throws ShapeError, ValueError for what does not fit; NonFiniteError where residuals are not finite at the start.
 */
export async function solveConstraint<P>(
  basis: TensorLike,
  pde: PdeConstraint<P>,
  problem: P,
  options: ConstraintOptions & Pick<LeastSquaresOptions, "onProgress" | "signal"> = {},
): Promise<ConstraintSolution> {
  requireObject("solveConstraint", "pde", pde, "a PdeConstraint");
  const owner = "solveConstraint";
  const { onProgress, signal, ...rest } = options;
  const settings = checkConstraint(owner, pde, rest);
  const { shaped, data, initial } = expertProblems(owner, basis, pde, problem, settings);
  const residuals = (w: Tensor) => expertResiduals(pde.residual, settings.ridge, w, data);
  const solved = await levenbergMarquardt(residuals, initial, {
    ...{ gradientTolerance: settings.tolerance, stepTolerance: 1e-14, maxIterations: settings.maxIterations },
    ...iterationOptions(data),
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  });
  const { x, converged, iterations } = solved;
  return {
    ...assembled(pde, problem, shaped, x, settings.experts),
    gradientNorms: gradientNorms((w) => residuals(w), x, data),
    dependent: dependence((w) => residuals(w), settings.ridge, x, data).dependent,
    ...{ converged, iterations, objective: mul(0.5, sum(square(mul(solved.residuals, data.size)), -1)) },
  };
}
