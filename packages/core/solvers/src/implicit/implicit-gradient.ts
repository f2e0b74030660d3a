import {
  ConvergenceError,
  checkOptions,
  customVjp,
  expandDims,
  jvp,
  lessEqual,
  linalg,
  mul,
  neg,
  requireChoice,
  requireInteger,
  requirePositive,
  reshape,
  squeeze,
  stopGradient,
  swapAxes,
  type Tensor,
  tree,
  vjp,
  where,
} from "@offprint/tensor-core";
import { valueAndJacobian } from "../least-squares/jacobian.js";
import { contractionSolve } from "./contraction-solve.js";
import { krylovSolve } from "./krylov-solve.js";

/** How the linear system of an implicit gradient is solved. */
export interface AdjointOptions {
  /**
   * `"direct"` forms the Jacobian and factorises it; `"iterative"` is GMRES on products with it, one reverse pass each;
   * `"contraction"` repeats the transposed derivative of f, which converges where the equation is `f(x) - x = 0` with a
   * contraction f, at its rate. Default `"direct"` up to 200 variables.
   */
  readonly adjoint?: "direct" | "iterative" | "contraction";
  /**
   * Accepted relative residual of an iterative solution (default 1e-10); of a contraction also what rounding leaves of
   * the solution, eight units in its last place.
   */
  readonly adjointTolerance?: number;
  /** Most products of an iterative solution (default 1000). */
  readonly adjointIterations?: number;
}

/** @internal */
export const adjointOptionNames = ["adjoint", "adjointTolerance", "adjointIterations"] as const;

/** An equation for vectors along the last axis; leading axes are problems of their own. `parameters` is a tree. */
export type Equation<P> = (x: Tensor, parameters: P) => Tensor;

interface Point<P> {
  readonly x: Tensor;
  readonly parameters: P;
}

/** A linear map of vectors. */
type LinearMap = (v: Tensor) => Tensor;

/** A linear map that depends on a point, and its transpose. */
interface LinearFamily<P> {
  apply(point: Point<P>): LinearMap;
  transposed(point: Point<P>): LinearMap;
}

/** @internal A function that gives `x` the gradient of a root of `equation`. */
export function withRootGradient<P>(
  owner: string,
  equation: Equation<P>,
  options: AdjointOptions,
): (x: Tensor, parameters: P) => Tensor {
  requireChoice(owner, "adjoint", options.adjoint ?? "direct", ["direct", "iterative", "contraction"]);
  requirePositive(owner, "adjointTolerance", options.adjointTolerance ?? 1e-10);
  requireInteger(owner, "adjointIterations", options.adjointIterations ?? 1000, 1);
  return customVjp(
    (x: Tensor, _: P) => x,
    (x: Tensor, parameters: P) => {
      // Another tensor than the argument: as a result it has the gradient of the root.
      const root = mul(stopGradient(x), 1);
      return [root, { x: root, parameters }];
    },
    (point: Point<P>, cotangent: Tensor) => {
      const solve = adjointSolver(owner, equation, point.x.shape[point.x.rank - 1], options);
      const u = solve(point, cotangent);
      const [, pullback] = vjp((p: P) => equation(point.x, p), point.parameters);
      return [null, pullback(neg(u))[0]];
    },
  );
}

/** The solution u of `(dg/dx)^T u = w`, differentiable in the point and in w. */
function adjointSolver<P>(
  owner: string,
  equation: Equation<P>,
  n: number,
  options: AdjointOptions,
): (point: Point<P>, w: Tensor) => Tensor {
  const { adjoint = n <= 200 ? "direct" : "iterative" } = options;
  if (adjoint === "direct") {
    return ({ x, parameters }, w) => {
      const { jacobian } = valueAndJacobian((y) => equation(y, parameters), x);
      return squeeze(linalg.solve(swapAxes(jacobian, -1, -2), expandDims(w, -1)), -1);
    };
  }
  return iterativeSolver(owner, jacobianOf(equation), options);
}

/** The transposed Jacobian of an equation, known by its products. */
function jacobianOf<P>(equation: Equation<P>): LinearFamily<P> {
  return {
    apply({ x, parameters }) {
      const [, pullback] = vjp((y: Tensor) => equation(y, parameters), x);
      return (v) => pullback(v)[0];
    },
    transposed:
      ({ x, parameters }) =>
      (v) =>
        jvp((y: Tensor) => equation(y, parameters), [x], [v])[1],
  };
}

/**
 * `u = A(point)^-1 b`, with its gradient: `A^T z = w` is solved likewise, `z` is the gradient by `b`, and that by the
 * point is the one of `-z . A(point) u`. All of it are operations of tensors, so that it can be differentiated again.
 */
function iterativeSolver<P>(
  owner: string,
  family: LinearFamily<P>,
  options: AdjointOptions,
): (point: Point<P>, b: Tensor) => Tensor {
  const solution = (point: Point<P>, b: Tensor) => solved(owner, family, tree.map(stopGradient, point), b, options);
  return customVjp(
    solution,
    (point: Point<P>, b: Tensor) => {
      const u = solution(point, b);
      return [u, { point, u }];
    },
    ({ point, u }: { point: Point<P>; u: Tensor }, w: Tensor) => {
      const swapped = { apply: family.transposed, transposed: family.apply };
      const z = iterativeSolver(owner, swapped, options)(point, w);
      const [, pullback] = vjp((at: Point<P>) => family.apply(at)(u), point);
      return [pullback(neg(z))[0], z];
    },
  );
}

function solved<P>(
  owner: string,
  family: LinearFamily<P>,
  point: Point<P>,
  b: Tensor,
  { adjoint, adjointTolerance = 1e-10, adjointIterations = 1000 }: AdjointOptions,
): Tensor {
  const right = stopGradient(b);
  const flat = reshape(right, [right.size]);
  const map = family.apply(point);
  const apply = (v: Tensor) => reshape(map(reshape(v, [...right.shape])), [v.size]);
  const settings = { tolerance: adjointTolerance, maxIterations: adjointIterations };
  const { u, residualNorm, goal } =
    adjoint === "contraction"
      ? contractionSolve(apply, flat, settings)
      : krylovSolve(apply, flat, { ...settings, restart: 30 });
  const reached = lessEqual(residualNorm, goal);
  return reshape(
    whereReached(reached, u, () => `${owner}: the linear system of the gradient`, "adjointIterations"),
    [...right.shape],
  );
}

/**
 * @internal `x` where a goal was reached: else an error where that is known at once, and NaN in batches and compiled
 * functions, which cannot throw.
 */
export function whereReached(reached: Tensor, x: Tensor, what: () => string, limit: string): Tensor {
  if (reached.storage.kind !== "host") return where(reached, x, Number.NaN);
  if (reached.item() !== 0) return x;
  throw new ConvergenceError(
    `${what()} has not converged; raise ${limit} or the tolerance, or bring the problem into better shape`,
  );
}

/** @internal Checks the names. @throws ValueError */
export function checkAdjoint(owner: string, options: object, names: readonly string[] = []): void {
  checkOptions(owner, options, [...names, ...adjointOptionNames]);
}
