import { cond } from "../control/cond.js";
import { abs, clip, div, equal, greater, isFinite, less, logicalAnd, mul, sqrt, where } from "../ops/elementwise.js";
import { all, max, sum } from "../ops/reduction.js";
import type { Tensor } from "../tensor.js";
import { customVjp } from "../transforms/custom-vjp.js";

/** Sums of squares from which nothing that counts has vanished, and the sizes that largest elements are brought to. */
const ranges = {
  float32: { leastSquares: 1e-30, small: 1e-15, large: 1e15 },
  float64: { leastSquares: 1e-280, small: 1e-140, large: 1e140 },
} as const;

/**
 * @internal The square root of the sum of squares along axes, which are kept with extent 1, whatever the size of the
 * elements. The gradient is `x / |x|`, and 0 where all are 0.
 */
export const euclidean = (x: Tensor, axis: readonly number[]): Tensor =>
  customVjp(
    (v: Tensor) => rootOfSquares(v, axis),
    (v) => {
      const length = rootOfSquares(v, axis);
      return [length, [v, length]];
    },
    ([v, length], g) => {
      const zero = equal(length, 0);
      return [mul(div(v, where(zero, 1, length)), where(zero, 0, g))];
    },
  )(x);

/** One pass over the elements where all sums of squares are ordinary numbers; else they are divided first. */
function rootOfSquares(x: Tensor, axis: readonly number[]): Tensor {
  const over = { axis, keepDims: true };
  const squares = sum(mul(x, x), over);
  if (x.size === 0) return sqrt(squares);
  const { leastSquares, small, large } = ranges[x.dtype as keyof typeof ranges];
  const divided = () => {
    const largest = max(abs(x), over);
    const unit = where(
      logicalAnd(greater(largest, 0), isFinite(largest)),
      div(largest, clip(largest, small, large)),
      1,
    );
    const parts = div(x, unit);
    return mul(unit, sqrt(sum(mul(parts, parts), over)));
  };
  const ordinary = all(logicalAnd(greater(squares, leastSquares), less(squares, Number.POSITIVE_INFINITY)));
  return cond(ordinary, () => sqrt(squares), divided);
}
