import { ConvergenceError, checkOptions, linalg, type Tensor, tree } from "@offprint/tensor-core";
import { hypergradient } from "./hypergradient.js";
import type { BilevelProblem } from "./problem.js";
import { solveLower } from "./solve-lower.js";

/** Options of {@link trueGradientNorm}. */
export interface TrueGradientOptions<Y> {
  /** Where the search for `y*(x)` begins. Default the problem's y. */
  readonly initial?: Y;
  /** Of the lower solution, the gradient's norm over that at the problem's y; of the linear system, the residual over the right side. Default 1e-10. */
  readonly tolerance?: number;
  /** Ends the computation: an AbortedError is not thrown, the norm of what was reached is given. */
  readonly signal?: AbortSignal;
}

/**
 * The Euclidean norm of the gradient of `F(x, y*(x))`, with the lower problem and the linear system solved on all data: what
 * bilevel methods drive to zero. For monitoring; it costs many products.
 * @throws ConvergenceError where `lower` does not curve upwards at what was found.
 * @example
 * const { norm, y } = await trueGradientNorm(problem, x);
 */
export async function trueGradientNorm<X, Y, U = null, L = U>(
  problem: BilevelProblem<X, Y, U, L>,
  x: X,
  options: TrueGradientOptions<Y> = {},
): Promise<{ norm: number; gradient: X; y: Y }> {
  checkOptions("trueGradientNorm", options, ["initial", "tolerance", "signal"]);
  const { y } = await solveLower(problem, x, options);
  const { tolerance, signal } = options;
  const { gradient, status, residualNorm } = await hypergradient(problem, x, y, {
    ...(tolerance !== undefined && { tolerance }),
    ...(signal && { signal }),
  });
  if (status === "breakdown") {
    throw new ConvergenceError(
      `trueGradientNorm: the linear system with the second derivatives of lower has no solution that conjugate gradients find ` +
        `(residual ${residualNorm}): lower does not curve upwards at y; give one that is strongly convex in y`,
    );
  }
  return { norm: Math.hypot(...tree.leaves<Tensor>(gradient).map((leaf) => linalg.norm(leaf).item())), gradient, y };
}
