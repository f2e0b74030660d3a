import { exp, mul } from "../ops/elementwise.js";
import { asFloat, floatUnary } from "../ops/operands.js";
import { normalLogCdfP } from "../primitives/special.js";
import type { Tensor, TensorLike } from "../tensor.js";
import { erfc } from "./error-function.js";

/** The distribution function of the standard normal distribution. Elementwise. */
export function normalCdf(x: TensorLike): Tensor {
  return mul(erfc(mul(asFloat(x), -Math.SQRT1_2)), 0.5);
}

/** The logarithm of `normalCdf`, finite far into the lower tail. Elementwise. */
export function normalLogCdf(x: TensorLike): Tensor {
  return floatUnary(normalLogCdfP, x);
}

/** The density of the standard normal distribution. Elementwise. */
export function normalPdf(x: TensorLike): Tensor {
  const t = asFloat(x);
  return mul(exp(mul(mul(t, t), -0.5)), 1 / Math.sqrt(2 * Math.PI));
}
