import { ShapeError, type TensorLike, ValueError } from "@offprint/tensor-core";
import type { BlockObjective } from "../block-objective.js";
import { designMatrix, type MatrixInput } from "../design-matrix.js";
import { vectorOf } from "../numbers.js";
import { linearModelOf } from "./linear-model.js";

/**
 * Logistic regression, `sum_i log(1 + exp(-y_i a_i^T x))`, with H_b = 1/4 A_b^T A_b.
 * @param A `[m, n]`, dense or sparse (a sparse one stays sparse)
 * @param y `[m]` labels -1 and 1
 * @throws ValueError for other labels; ShapeError, DTypeError, ValueError for what does not fit or is not finite.
 */
export function logistic(A: MatrixInput, y: TensorLike): BlockObjective {
  const owner = "logistic";
  const design = designMatrix(owner, "A", A);
  const label = vectorOf(owner, "y", y);
  if (label.length !== design.rows) {
    throw new ShapeError(`${owner}: A has ${design.rows} rows and y ${label.length} labels; they must be as many`);
  }
  const bad = label.findIndex((v) => v !== 1 && v !== -1);
  if (bad >= 0) throw new ValueError(`${owner}: y holds ${label[bad]} at position ${bad}; labels must be -1 or 1`);
  return linearModelOf(design, {
    curvatureBound: 0.25,
    value: (i, z) => logOnePlusExp(-label[i] * z),
    slope: (i, z) => -label[i] * sigmoid(-label[i] * z),
    curvature: (_i, z) => sigmoid(z) * sigmoid(-z),
  });
}

/** log(1 + exp(u)) without overflow. */
function logOnePlusExp(u: number): number {
  return u > 0 ? u + Math.log1p(Math.exp(-u)) : Math.log1p(Math.exp(u));
}

/** 1 / (1 + exp(-u)) without cancellation in either tail. */
function sigmoid(u: number): number {
  if (u >= 0) return 1 / (1 + Math.exp(-u));
  const e = Math.exp(u);
  return e / (1 + e);
}
