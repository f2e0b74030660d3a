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
  requireFinite,
  requirePositive,
  ShapeError,
  sort,
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
 * @param normal - `[n]`
 * @throws ValueError for a normal that is zero, or numbers that are not finite; ShapeError for one that is no vector.
 */
export function halfSpace(normal: TensorLike, offset: number): Projection {
  const owner = "projections.halfSpace";
  const a = asFloat64(normal);
  if (a.rank !== 1) throw new ShapeError(`${owner}: the normal has shape [${a.shape}]; give a vector, [n]`);
  requireFinite(owner, "the normal", a);
  if (!Number.isFinite(offset)) throw new ValueError(`${owner}: offset is ${String(offset)}; give a finite number`);
  const length = linalg.norm(a).item();
  if (!(length > 0)) throw new ValueError(`${owner}: the normal is zero; give a direction`);
  // Of length one: squares of a long or a short one would leave the numbers that there are.
  const direction = div(a, length);
  return (x) => {
    const point = asFloat64(x);
    const n = point.shape[point.rank - 1];
    if (n !== a.size) throw new ShapeError(`${owner}: x has shape [${point.shape}]; the normal has ${a.size} entries`);
    const excess = maximum(sub(sum(mul(point, direction), along), offset / length), 0);
    return sub(point, mul(direction, excess));
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
