import { abs, atanh, exp, expm1, greater, less, log, log1p, mul, neg, sub, where } from "../ops/elementwise.js";
import { asFloat, floatTogether } from "../ops/operands.js";
import { logAddExpP, xlogyP } from "../primitives/special.js";
import type { Tensor, TensorLike } from "../tensor.js";

/** `ln(e^a + e^b)` without overflow. Elementwise, broadcasting. */
export function logAddExp(a: TensorLike, b: TensorLike): Tensor {
  return floatTogether(logAddExpP, "special.logAddExp", [a, b]);
}

/** `x ln y`, and 0 where x is 0 whatever y is. Elementwise, broadcasting. */
export function xlogy(x: TensorLike, y: TensorLike): Tensor {
  return floatTogether(xlogyP, "special.xlogy", [x, y]);
}

/** `ln(1 - e^x)` for x < 0 without cancellation (Maechler 2012); NaN above 0. Elementwise. */
export function log1mExp(x: TensorLike): Tensor {
  const t = asFloat(x);
  const small = greater(t, -Math.LN2);
  // Each branch sees a harmless value where the other is taken, so that its gradient is finite there.
  const near = log(neg(expm1(where(small, t, -1))));
  const far = log1p(neg(exp(where(small, -1, t))));
  return where(small, near, far);
}

/** `ln(p / (1 - p))`: infinite at 0 and 1, NaN outside; accurate near 1/2 too. Elementwise. */
export function logit(p: TensorLike): Tensor {
  const t = asFloat(p);
  const middle = less(abs(sub(t, 0.5)), 0.2);
  const central = mul(atanh(sub(mul(where(middle, t, 0.5), 2), 1)), 2);
  const edge = where(middle, 0.1, t);
  return where(middle, central, sub(log(edge), log1p(neg(edge))));
}
