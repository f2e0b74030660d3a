import {
  add,
  all,
  any,
  equal,
  less,
  logicalAnd,
  requireChoice,
  stopGradient,
  type Tensor,
  type TensorLike,
  tensor,
  tree,
  vjp,
  whileLoop,
} from "@offprint/tensor-core";
import { valueAndJacobian } from "../least-squares/jacobian.js";
import { checkedTolerances } from "../least-squares/least-squares.js";
import { decided, firstState, levenbergMarquardtRule } from "../least-squares/least-squares-iteration.js";
import { asFloat64 } from "../operand.js";
import { type AdjointOptions, checkAdjoint, whereReached, withRootGradient } from "./implicit-gradient.js";

/** Options of {@link leastSquares}. */
export interface ImplicitLeastSquaresOptions extends AdjointOptions {
  /** Converged when the largest entry of the gradient `J^T r` is at most this (default 1e-8). */
  readonly gradientTolerance?: number;
  /** Converged, too, when a step is at most this times the length of `x` (default 1e-12). */
  readonly stepTolerance?: number;
  /** Most iterations (default 1000). */
  readonly maxIterations?: number;
  /**
   * Whether the last iterate is taken where the limit came first, or no step lowers the squares any more (default false:
   * an error, NaN where traced). Its gradient is as inexact as it is.
   */
  readonly inexact?: boolean;
  /** Whether steps come from a Cholesky decomposition of J^T J (default false), as of `levenbergMarquardt`. */
  readonly normalEquations?: boolean;
}

/**
 * The minimum of half the sum of squares of `residuals(x, parameters)`, by Levenberg and Marquardt, with its gradient by
 * the parameters, to any order: that of the root of `J^T r`. What `implicit.fixedPoint` says holds of it, too.
 *
 * @param residuals - `[..., n]` to `[..., m]`; leading axes are problems of their own.
 * @returns a function of `(initial, parameters)`
 */
export function leastSquares<P>(
  residuals: (x: Tensor, parameters: P) => Tensor,
  options: ImplicitLeastSquaresOptions = {},
): (initial: TensorLike, parameters: P) => Tensor {
  const owner = "implicit.leastSquares";
  checkAdjoint(owner, options, ["gradientTolerance", "stepTolerance", "maxIterations", "inexact", "normalEquations"]);
  const { inexact = false } = options;
  requireChoice(owner, "inexact", inexact, [true, false]);
  const { maxIterations, damped, ...tolerances } = checkedTolerances(owner, options);
  const gradient = (x: Tensor, parameters: P): Tensor => {
    const [value, pullback] = vjp((y: Tensor) => residuals(y, parameters), x);
    return pullback(value)[0];
  };
  return (initial, parameters) => {
    // Neither the iterations nor their gradients are recorded.
    const fixed = tree.map((leaf: TensorLike) => stopGradient(leaf), parameters) as P;
    const evaluate = (x: Tensor) => valueAndJacobian((y) => residuals(y, fixed), x);
    const start = stopGradient(asFloat64(initial));
    const first = firstState(levenbergMarquardtRule, start, evaluate(start), tolerances);
    const { state } = whileLoop(
      (loop: { state: typeof first; count: Tensor }) =>
        logicalAnd(any(equal(loop.state.done, 0)), less(loop.count, maxIterations)),
      (loop) => {
        const step = levenbergMarquardtRule.propose(loop.state, damped);
        const point = evaluate(add(loop.state.x, step));
        const next = decided(levenbergMarquardtRule, loop.state, step, point, tolerances);
        return { state: next, count: add(loop.count, 1) };
      },
      { state: first, count: tensor(0, { dtype: "int32" }) },
    );
    const reached = all(equal(state.done, 1));
    const x = inexact ? state.x : whereReached(reached, state.x, () => `${owner}: the iteration`, "maxIterations");
    return withRootGradient(owner, gradient, options)(x, parameters);
  };
}
