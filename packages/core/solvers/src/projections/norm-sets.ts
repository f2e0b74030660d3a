import {
  add,
  checkOptions,
  clip,
  div,
  greater,
  lessEqual,
  linalg,
  mul,
  neg,
  requirePositive,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
  where,
} from "@offprint/tensor-core";
import { asFloat64 } from "../operand.js";

/** The nearest point of a closed convex set; sets of vectors lie along the last axis, leading axes are a batch. */
export type Projection = (x: TensorLike) => Tensor;

const along = { axis: -1, keepDims: true } as const;

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
    const length = linalg.norm(offset, along);
    const outside = greater(length, radius);
    const factor = where(outside, div(radius, where(outside, length, 1)), 1);
    return add(mul(offset, factor), middle);
  };
}

/**
 * The box `lower <= x <= upper`, bounds for each entry or one for all; infinite where there is none.
 * @throws ValueError where it is empty, or a bound is NaN.
 */
export function box(lower: TensorLike, upper: TensorLike): Projection {
  const [low, high] = [lower, upper].map((bound) => (typeof bound === "number" ? bound : asFloat64(bound)));
  const apart = sub(asFloat64(upper), asFloat64(lower));
  // Equal infinities leave NaN, and no point between them that is finite.
  if (apart.storage.kind === "host" && !apart.data().every((width: number) => width >= 0)) {
    throw new ValueError("projections.box: a lower bound is above its upper one, or is no number; give lower <= upper");
  }
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
    const norm = linalg.norm(base, along);
    const half = div(add(norm, height), 2);
    const onBoundary = mul(half, add(div(base, where(greater(norm, 0), norm, 1)), axis));
    const outside = where(lessEqual(norm, neg(height)), mul(point, 0), onBoundary);
    return where(lessEqual(norm, height), point, outside);
  };
}
