import type { ConstrainedBilevelProblem } from "@offprint/bilevel";
import { projections } from "@offprint/solvers";
import {
  add,
  asTensor,
  checkOptions,
  concatenate,
  matmul,
  ShapeError,
  slice,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
} from "@offprint/tensor-core";

/** Linear constraints on x and y together. */
export interface AffineConstraintsOptions {
  /** `[l, dx]` */
  readonly x: TensorLike;
  /** `[l, dy]` */
  readonly y: TensorLike;
  /** `[l]`: `x-matrix x + y-matrix y <= bounds`. */
  readonly bounds: TensorLike;
  /** Which of them are equations: all, none (default), or a flag for each. */
  readonly equality?: boolean | readonly boolean[];
}

/**
 * The constraints of a problem whose x and y are vectors, with the exact projection on the pairs that satisfy them: a part of a
 * `ConstrainedBilevelProblem`.
 * @throws ShapeError where matrices and bounds do not fit; ValueError where no pair satisfies all.
 * @example
 * const problem = { initial, upper, lower, ...affineConstraints({ x: [[-1]], y: [[1, 1]], bounds: [0] }) };
 */
export function affineConstraints(
  options: AffineConstraintsOptions,
): Pick<ConstrainedBilevelProblem<Tensor, Tensor>, "constraints" | "equality" | "projectJointly"> {
  const owner = "affineConstraints";
  checkOptions(owner, options, ["x", "y", "bounds", "equality"], ["x", "y", "bounds"]);
  const { equality = false } = options;
  const float64 = (given: TensorLike) => asTensor(tensor(given, { dtype: "float64" }));
  const [inX, inY, bounds] = [float64(options.x), float64(options.y), float64(options.bounds)];
  if (inX.rank !== 2 || inY.rank !== 2 || inX.shape[0] !== inY.shape[0]) {
    throw new ShapeError(`${owner}: x has shape [${inX.shape}], y [${inY.shape}]; give [l, dx], [l, dy]`);
  }
  const n = inX.shape[1];
  const nearest = projections.polyhedron({ matrix: concatenate([inX, inY], 1), bounds, equality });
  return {
    equality,
    constraints: (x, y) => sub(add(matmul(inX, x), matmul(inY, y)), bounds),
    projectJointly(x, y) {
      const pair = nearest(concatenate([x, y], 0));
      return { x: slice(pair, [{ stop: n }]), y: slice(pair, [{ start: n }]) };
    },
  };
}
