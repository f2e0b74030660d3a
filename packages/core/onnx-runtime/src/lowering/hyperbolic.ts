import {
  abs,
  add,
  div,
  equal,
  exp,
  expm1,
  less,
  log,
  log1p,
  minimum,
  mul,
  neg,
  sqrt,
  sub,
  type Tensor,
  tanh,
  where,
} from "@offprint/tensor-core";
import { chebyshevSeries, evaluateSeries } from "./chebyshev.js";

/** `e^x - 1 = tanh(x / 2) (e^x + 1)`: exact near 0, where subtracting 1 would lose all digits. */
export function expm1ByTanh(x: Tensor): Tensor {
  return mul(tanh(mul(x, 0.5)), add(exp(x), 1));
}

const REACH = 0.5;
const growth = chebyshevSeries((x) => (x === 0 ? 1 : Math.expm1(x) / x), -REACH, REACH, 9);

/** `e^x - 1` where the hyperbolic tangent is inexact near 0, as on GPUs. */
export function expm1BySeries(x: Tensor): Tensor {
  return where(less(abs(x), REACH), mul(x, evaluateSeries(growth, x)), sub(exp(x), 1));
}

/** `ln(1 + x)`, corrected for the rounding of `u = 1 + x` by the factor `x / (u - 1)`. */
export function log1pByRounding(x: Tensor): Tensor {
  const u = add(x, 1);
  const ln = log(u);
  const rounded = sub(u, 1);
  const exact = equal(rounded, 0);
  const corrected = mul(ln, div(x, where(exact, 1, rounded)));
  return where(exact, x, where(less(1, x), ln, corrected));
}

function oddly(x: Tensor, ofSize: (size: Tensor) => Tensor): Tensor {
  const y = ofSize(abs(x));
  return where(less(x, 0), neg(y), y);
}

/** `(t + t / (t + 1)) / 2` with `t = e^|x| - 1`; beyond 20 the second exponential is below the rounding of the first. */
export function sinh(x: Tensor): Tensor {
  return oddly(x, (size) => {
    const t = expm1(minimum(size, 20));
    const half = exp(mul(size, 0.5));
    return where(less(20, size), mul(mul(half, 0.5), half), mul(add(t, div(t, add(t, 1))), 0.5));
  });
}

/** `(e^|x| + e^-|x|) / 2`, the exponential in two factors so that it overflows no sooner than the result. */
export function cosh(x: Tensor): Tensor {
  const half = exp(mul(abs(x), 0.5));
  return add(mul(mul(half, 0.5), half), div(div(0.5, half), half));
}

/** Beyond this the 1 under a root is below rounding. */
const FAR = 1e9;

/** `ln(|x| + sqrt(x^2 + 1))`, written so that nothing cancels or overflows. */
export function asinh(x: Tensor): Tensor {
  return oddly(x, (size) => {
    const bounded = minimum(size, FAR);
    const square = mul(bounded, bounded);
    const near = log1p(add(bounded, div(square, add(sqrt(add(square, 1)), 1))));
    return where(less(FAR, size), add(log(size), Math.LN2), near);
  });
}

/** `ln(1 + t + sqrt(t (t + 2)))` with `t = x - 1`. */
export function acosh(x: Tensor): Tensor {
  const t = sub(minimum(x, FAR), 1);
  return where(less(FAR, x), add(log(x), Math.LN2), log1p(add(t, mul(sqrt(t), sqrt(add(t, 2))))));
}

/** `ln((1 + |x|) / (1 - |x|)) / 2`. */
export function atanh(x: Tensor): Tensor {
  return oddly(x, (size) => mul(log1p(div(mul(size, 2), sub(1, size))), 0.5));
}
