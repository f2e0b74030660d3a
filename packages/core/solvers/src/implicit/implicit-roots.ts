import {
  add,
  greater,
  isTensor,
  less,
  lessEqual,
  linalg,
  logicalAnd,
  logicalNot,
  ShapeError,
  stopGradient,
  type Tensor,
  type TensorLike,
  tensor,
  tree,
  whileLoop,
} from "@offprint/tensor-core";
import { asVariables, raveling } from "../raveled.js";
import { displacement } from "../root/fixed-point.js";
import type { IterateState, VectorIteration } from "../root/vector-iteration.js";
import {
  type CheckedSettings,
  checkedSettings,
  type FixedPointSettings,
  iterationOf,
  type RootSettings,
} from "../root/vector-methods.js";
import {
  type AdjointOptions,
  adjointOptionNames,
  checkAdjoint,
  whereReached,
  withRootGradient,
} from "./implicit-gradient.js";

/** A solution as a function of where the search begins and of parameters, by which it has a gradient. */
export type ImplicitSolution<X, P> = (initial: X, parameters: P) => X;

/** Options of {@link fixedPoint}. */
export interface ImplicitFixedPointOptions extends FixedPointSettings, AdjointOptions {}

/** Options of {@link withGradient}. */
export interface WithGradientOptions extends AdjointOptions {
  /**
   * Whether the solution is a tensor whose leading axes are problems of their own, of vectors along its last axis. Their
   * Jacobians are then formed and factorised one by one, where they would be blocks of a large one. Default false.
   */
  readonly batched?: boolean;
}

/** Options of {@link root}. */
export interface ImplicitRootOptions extends RootSettings, AdjointOptions {}

/**
 * The fixed point `x = f(x, parameters)` with its gradient by the parameters, to any order, by the implicit function
 * theorem: neither time nor memory of the gradient depend on the iterations. Works eagerly, under `vmap`, and inside
 * `trace` and `jit` where `f` can be traced.
 *
 * @param f - In operations of tensors. What needs a gradient must come through `parameters`, a tree of float tensors: none
 * flows to values that `f` closes over, nor to `initial`.
 * @returns a function of `(initial, parameters)`. It throws a ConvergenceError where the tolerance is not reached within
 * `maxIterations`; in batches and compiled functions, which cannot throw, its result is NaN.
 * @example
 * const solve = implicit.fixedPoint((x: Tensor, a: Tensor) => mul(a, cos(x)));
 * const slope = grad((a: Tensor) => solve(tensor(1, { dtype: "float64" }), a))(tensor(0.8, { dtype: "float64" }));
 */
export function fixedPoint<P>(
  f: (x: Tensor, parameters: P) => TensorLike,
  options?: ImplicitFixedPointOptions,
): (initial: TensorLike, parameters: P) => Tensor;
export function fixedPoint<X, P>(
  f: (x: X, parameters: P) => X,
  options?: ImplicitFixedPointOptions,
): ImplicitSolution<X, P>;
export function fixedPoint<X, P>(
  f: (x: X, parameters: P) => X,
  options: ImplicitFixedPointOptions = {},
): ImplicitSolution<X, P> {
  const owner = "implicit.fixedPoint";
  const settings = checkedSettings(owner, options, ["anderson", "iteration"], adjointOptionNames);
  const at = (x: X, parameters: P) => displacement<X>((y) => f(y, parameters))(x);
  return implicitSolution(owner, at, settings, options);
}

/**
 * The root `g(x, parameters) = 0` with its gradient by the parameters, to any order; see {@link fixedPoint} for what holds
 * of both.
 * @example
 * const solve = implicit.root((x: Tensor, a: Tensor) => sub(square(x), a)); // the square root
 */
export function root<P>(
  g: (x: Tensor, parameters: P) => TensorLike,
  options?: ImplicitRootOptions,
): (initial: TensorLike, parameters: P) => Tensor;
export function root<X, P>(g: (x: X, parameters: P) => X, options?: ImplicitRootOptions): ImplicitSolution<X, P>;
export function root<X, P>(g: (x: X, parameters: P) => X, options: ImplicitRootOptions = {}): ImplicitSolution<X, P> {
  const owner = "implicit.root";
  const settings = checkedSettings(owner, options, ["newton", "broyden", "anderson"], adjointOptionNames);
  return implicitSolution(owner, g, settings, options);
}

/**
 * Gives a solution of `g(x, parameters) = 0` that was found elsewhere its gradient by the parameters, to any order. The
 * values are not looked at: where `x` is not a root, neither is the gradient one.
 * @returns a function of `(solution, parameters)`
 */
export function withGradient<P>(
  g: (x: Tensor, parameters: P) => TensorLike,
  options?: WithGradientOptions,
): (solution: TensorLike, parameters: P) => Tensor;
export function withGradient<X, P>(
  g: (x: X, parameters: P) => X,
  options?: WithGradientOptions,
): (solution: X, parameters: P) => X;
export function withGradient<X, P>(
  g: (x: X, parameters: P) => X,
  options: WithGradientOptions = {},
): (solution: X, parameters: P) => X {
  const owner = "implicit.withGradient";
  checkAdjoint(owner, options, ["batched"]);
  return (solution, parameters) => {
    const example = asVariables(solution);
    if (options.batched) {
      if (!isTensor(example) || example.rank === 0) {
        throw new ShapeError(`${owner}: batched takes a solution that is one tensor of at least one axis; give that`);
      }
      const equation = (v: Tensor, p: P) => asVariables(g(v as X, p)) as Tensor;
      return withRootGradient(owner, equation, options)(example, parameters) as X;
    }
    const space = raveling(owner, example);
    const equation = (v: Tensor, p: P) => space.ravel(g(space.unravel(v), p));
    return space.unravel(withRootGradient(owner, equation, options)(space.ravel(example), parameters));
  };
}

function implicitSolution<X, P>(
  owner: string,
  residual: (x: X, parameters: P) => X,
  settings: CheckedSettings,
  options: AdjointOptions,
): ImplicitSolution<X, P> {
  return (initial, parameters) => {
    const example = asVariables(initial);
    const space = raveling(owner, example);
    const equation = (v: Tensor, p: P) => space.ravel(residual(space.unravel(v), p));
    // Neither the iterations nor their gradients are recorded.
    const fixed = tree.map((leaf: TensorLike) => stopGradient(leaf), parameters) as P;
    const iteration = iterationOf((v) => equation(v, fixed), settings);
    const x = iterate(owner, iteration, stopGradient(space.ravel(example)), settings);
    return space.unravel(withRootGradient(owner, equation, options)(x, parameters));
  };
}

/** The iteration as one loop of tensors. */
function iterate(
  owner: string,
  iteration: VectorIteration<IterateState>,
  start: Tensor,
  { tolerance, maxIterations }: CheckedSettings,
): Tensor {
  const reached = ({ residual }: IterateState) => lessEqual(linalg.norm(residual), tolerance);
  const first = { inner: iteration.begin(start), count: tensor(0, { dtype: "int32" }) };
  const goesOn = ({ inner, count }: typeof first) => {
    // A residual that is not a number does not get better.
    const unfinished = logicalAnd(greater(linalg.norm(inner.residual), tolerance), less(count, maxIterations));
    return iteration.stuck === undefined ? unfinished : logicalAnd(unfinished, logicalNot(iteration.stuck(inner)));
  };
  const { inner } = whileLoop(
    goesOn,
    ({ inner, count }) => ({ inner: iteration.step(inner), count: add(count, 1) }),
    first,
  );
  return whereReached(reached(inner), inner.x, () => `${owner}: the iteration`, "maxIterations");
}
