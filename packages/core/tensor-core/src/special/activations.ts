import { checkOptions } from "../check-options.js";
import { add, expm1, greater, mul, neg, sigmoid, tanh, where } from "../ops/elementwise.js";
import { asFloat } from "../ops/operands.js";
import { bindOne } from "../primitive.js";
import { softplusP } from "../primitives/special.js";
import type { Tensor, TensorLike } from "../tensor.js";
import { normalCdf } from "./normal.js";

/** `ln(1 + e^x)` without overflow. Elementwise. */
export function softplus(x: TensorLike): Tensor {
  return bindOne(softplusP, [asFloat(x)], null);
}

/** `ln(sigmoid(x))` without underflow. Elementwise. */
export function logSigmoid(x: TensorLike): Tensor {
  return neg(softplus(neg(asFloat(x))));
}

/** `x sigmoid(x)`, also called swish. Elementwise. */
export function silu(x: TensorLike): Tensor {
  const t = asFloat(x);
  return mul(t, sigmoid(t));
}

/**
 * The Gaussian error linear unit `x Phi(x)`, Phi the standard normal distribution function; with `approximate` the
 * formula with tanh of its paper (Hendrycks and Gimpel 2016). Elementwise.
 */
export function gelu(x: TensorLike, options: { approximate?: boolean } = {}): Tensor {
  checkOptions("special.gelu", options, ["approximate"]);
  const t = asFloat(x);
  if (!options.approximate) return mul(t, normalCdf(t));
  const inner = mul(mul(t, add(mul(mul(t, t), 0.044715), 1)), Math.sqrt(2 / Math.PI));
  return mul(mul(t, 0.5), add(tanh(inner), 1));
}

/** x where it is positive, `alpha (e^x - 1)` elsewhere; alpha is 1 unless told. Elementwise. */
export function elu(x: TensorLike, alpha = 1): Tensor {
  const t = asFloat(x);
  const positive = greater(t, 0);
  // The branch not taken must not overflow, or its gradient would be NaN.
  return where(positive, t, mul(expm1(where(positive, 0, t)), alpha));
}

/** `elu` scaled so that activations keep mean 0 and variance 1 (Klambauer et al. 2017). Elementwise. */
export function selu(x: TensorLike): Tensor {
  return mul(elu(x, 1.6732632423543772), 1.0507009873554805);
}

/** x where it is positive, `slope x` elsewhere; the slope is 0.01 unless told. Elementwise. */
export function leakyRelu(x: TensorLike, slope = 0.01): Tensor {
  const t = asFloat(x);
  return where(greater(t, 0), t, mul(t, slope));
}
