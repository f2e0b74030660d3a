import {
  cast,
  cumSum,
  div,
  greater,
  linalg,
  matmul,
  max,
  maximum,
  mul,
  requirePositive,
  ShapeError,
  sort,
  square,
  stopGradient,
  sub,
  sum,
  type TensorLike,
  tensor,
  transpose,
  ValueError,
  where,
} from "@offprint/tensor-core";
import { asFloat64 } from "../operand.js";
import type { Projection } from "./norm-sets.js";

const along = { axis: -1, keepDims: true } as const;

/**
 * The simplex `x >= 0, sum x = total` (default 1), by sorting (Held, Wolfe and Crowder 1974).
 * @throws ValueError unless the total is positive.
 */
export function simplex(total = 1): Projection {
  requirePositive("projections.simplex", "total", total);
  return (x) => {
    const given = asFloat64(x);
    // The same for all entries changes nothing but digits: beside large ones the total would be lost.
    const point = sub(given, stopGradient(max(given, along)));
    const n = point.shape[point.rank - 1];
    const places = tensor(
      Float64Array.from({ length: n }, (_, i) => i + 1),
      { dtype: point.dtype },
    );
    const sorted = sort(point, { descending: true });
    const kept = greater(mul(sorted, places), sub(cumSum(sorted), total));
    const count = sum(cast(kept, point.dtype), along);
    const threshold = div(sub(sum(where(kept, sorted, 0), along), total), count);
    return maximum(sub(point, threshold), 0);
  };
}

/**
 * The half-space `normal . x <= offset`.
 * @throws ValueError for a normal that is zero.
 */
export function halfSpace(normal: TensorLike, offset: number): Projection {
  const a = asFloat64(normal);
  const squares = sum(square(a));
  if (!(squares.item() > 0)) throw new ValueError("projections.halfSpace: the normal is zero; give a direction");
  return (x) => {
    const point = asFloat64(x);
    const excess = maximum(sub(sum(mul(point, a), along), offset), 0);
    return sub(point, mul(a, div(excess, squares)));
  };
}

/**
 * The affine set `A x = b`.
 * @param a - `[m, n]` with independent rows.
 * @param b - `[m]`
 * @throws ShapeError where they do not fit; ValueError where rows depend on each other.
 */
export function affineSet(a: TensorLike, b: TensorLike): Projection {
  const matrix = asFloat64(a);
  const right = asFloat64(b);
  if (matrix.rank !== 2 || right.rank !== 1 || matrix.shape[0] !== right.shape[0]) {
    throw new ShapeError(
      `projections.affineSet: A has shape [${matrix.shape}] and b [${right.shape}]; give [m, n], [m]`,
    );
  }
  const back = linalg.solve(matmul(matrix, transpose(matrix)), matrix);
  return (x) => {
    const point = asFloat64(x);
    const residual = sub(matmul(point, transpose(matrix)), right);
    return sub(point, matmul(residual, back));
  };
}
