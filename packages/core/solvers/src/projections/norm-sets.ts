import {
  abs,
  add,
  checkOptions,
  clip,
  div,
  greater,
  lessEqual,
  max,
  mul,
  neg,
  requirePositive,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  tensor,
  where,
} from "@offprint/tensor-core";
import { asFloat64 } from "../operand.js";

/** The nearest point of a closed convex set; sets of vectors lie along the last axis, leading axes are a batch. */
export type Projection = (x: TensorLike) => Tensor;

const along = { axis: -1, keepDims: true } as const;

/** The Euclidean norm along the last axis, in units of the largest entry: squares neither overflow nor vanish. */
function lengthOf(x: Tensor): Tensor {
  const largest = stopGradient(max(abs(x), along));
  const unit = where(greater(largest, 0), largest, 1);
  const squares = sum(square(div(x, unit)), along);
  const some = greater(squares, 0);
  return where(some, mul(sqrt(where(some, squares, 1)), unit), 0);
}

/**
 * The ball `|x - center| <= radius` of the Euclidean norm.
 * @throws ValueError unless the radius is positive.
 */
export function ball(options: { readonly radius: number; readonly center?: TensorLike }): Projection {
  checkOptions("projections.ball", options, ["radius", "center"], ["radius"]);
  const { radius, center = 0 } = options;
  requirePositive("projections.ball", "radius", radius);
  const middle = typeof center === "number" ? center : asFloat64(center);
  return (x) => {
    const offset = sub(asFloat64(x), middle);
    const length = lengthOf(offset);
    const outside = greater(length, radius);
    const factor = where(outside, div(radius, where(outside, length, 1)), 1);
    return add(mul(offset, factor), middle);
  };
}

/** The box `lower <= x <= upper`, bounds for each entry or one for all. */
export function box(lower: TensorLike, upper: TensorLike): Projection {
  const [low, high] = [lower, upper].map((bound) => (typeof bound === "number" ? bound : asFloat64(bound)));
  return (x) => clip(asFloat64(x), low, high);
}

/** The second-order cone `|(x_1, ..., x_(n-1))| <= x_n`. */
export function secondOrderCone(): Projection {
  return (x) => {
    const point = asFloat64(x);
    const n = point.shape[point.rank - 1];
    const axis = tensor(
      Float64Array.from({ length: n }, (_, i) => (i === n - 1 ? 1 : 0)),
      { dtype: point.dtype },
    );
    const height = sum(mul(point, axis), along);
    const base = mul(point, sub(1, axis));
    const norm = lengthOf(base);
    const half = div(add(norm, height), 2);
    const onBoundary = mul(half, add(div(base, where(greater(norm, 0), norm, 1)), axis));
    const outside = where(lessEqual(norm, neg(height)), mul(point, 0), onBoundary);
    return where(lessEqual(norm, height), point, outside);
  };
}
