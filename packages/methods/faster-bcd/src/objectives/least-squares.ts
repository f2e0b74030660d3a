import { ShapeError, type TensorLike } from "@offprint/tensor-core";
import type { BlockObjective } from "../block-objective.js";
import { designMatrix, type MatrixInput } from "../design-matrix.js";
import { vectorOf } from "../numbers.js";
import { linearModelOf } from "./linear-model.js";

/**
 * Least squares, `1/2 ||A x - y||^2`, with H_b = A_b^T A_b and L_i = ||A_i||^2.
 * @param A `[m, n]`, dense or sparse (a sparse one stays sparse)
 * @param y `[m]`
 * @throws ShapeError, DTypeError, ValueError for what does not fit or is not finite.
 */
export function leastSquares(A: MatrixInput, y: TensorLike): BlockObjective {
  const owner = "leastSquares";
  const design = designMatrix(owner, "A", A);
  const target = vectorOf(owner, "y", y);
  if (target.length !== design.rows) {
    throw new ShapeError(`${owner}: A has ${design.rows} rows and y ${target.length} values; they must be as many`);
  }
  return linearModelOf(design, {
    quadratic: true,
    curvatureBound: 1,
    value: (i, z) => 0.5 * (z - target[i]) ** 2,
    slope: (i, z) => z - target[i],
    curvature: () => 1,
    difference: (i, z, dz) => dz * (z - target[i] + 0.5 * dz),
  });
}
