import {
  abs,
  clip,
  div,
  greater,
  isFinite,
  logicalAnd,
  max,
  mul,
  reshape,
  sqrt,
  square,
  sum,
  type Tensor,
  where,
} from "@offprint/tensor-core";

/**
 * The Euclidean norm of all elements, or along an axis, of any size: where squares would come to 0 or to infinity elements are
 * divided by what makes the largest ordinary, elsewhere by 1, which leaves every bit of `sqrt(sum(square(x)))`. Traceable, but
 * without a gradient at 0.
 * @example euclideanNorm(tensor([3e200, 4e200], { dtype: "float64" })).item(); // 5e200
 */
export function euclideanNorm(x: Tensor, axis?: number): Tensor {
  const over = { ...(axis !== undefined && { axis }), keepDims: true };
  const shape = sum(x, axis === undefined ? {} : { axis }).shape;
  if (x.size === 0) return reshape(sqrt(sum(square(x), over)), shape);
  const [small, large] = x.dtype === "float64" ? [1e-140, 1e140] : [1e-15, 1e15];
  const largest = max(abs(x), over);
  const usual = div(largest, clip(largest, small, large));
  const unit = where(logicalAnd(greater(largest, 0), isFinite(largest)), usual, 1);
  return reshape(mul(unit, sqrt(sum(square(div(x, unit)), over))), shape);
}
