import { ValueError } from "../errors.js";
import { floatTogether, floatUnary } from "../ops/operands.js";
import { betaincP, gammainccP, gammaincP, lgammaP, logBetaP, polygammaP } from "../primitives/special.js";
import type { Tensor, TensorLike } from "../tensor.js";

/** `ln |Gamma(x)|`; infinite at 0 and the negative integers. Elementwise. */
export function lgamma(x: TensorLike): Tensor {
  return floatUnary(lgammaP, x);
}

/** The derivative of `ln Gamma(x)`. Elementwise. */
export function digamma(x: TensorLike): Tensor {
  return polygamma(0, x);
}

/** The second derivative of `ln Gamma(x)`. Elementwise. */
export function trigamma(x: TensorLike): Tensor {
  return polygamma(1, x);
}

/**
 * The derivative of `digamma` of the given order, an integer >= 0. Elementwise in x.
 * @throws ValueError for another order.
 */
export function polygamma(order: number, x: TensorLike): Tensor {
  if (!Number.isInteger(order) || order < 0) {
    throw new ValueError(`special.polygamma: order is ${order}; give an integer >= 0`);
  }
  return floatUnary(polygammaP, x, { order });
}

/** `ln B(a, b)` for a, b > 0, without cancellation. Elementwise, broadcasting. */
export function logBeta(a: TensorLike, b: TensorLike): Tensor {
  return floatTogether(logBetaP, "special.logBeta", [a, b]);
}

/**
 * The regularised lower incomplete gamma function P(a, x) for a > 0, x >= 0: the distribution function of the gamma
 * distribution of shape a. Elementwise, broadcasting. Differentiable in x; a gradient with respect to a is an
 * UnsupportedError.
 */
export function gammainc(a: TensorLike, x: TensorLike): Tensor {
  return floatTogether(gammaincP, "special.gammainc", [a, x]);
}

/** `1 - gammainc(a, x)`, accurate where it is small; gradients as for `gammainc`. Elementwise, broadcasting. */
export function gammaincc(a: TensorLike, x: TensorLike): Tensor {
  return floatTogether(gammainccP, "special.gammaincc", [a, x]);
}

/**
 * The regularised incomplete beta function I_x(a, b) for a, b > 0 and x in [0, 1]: the distribution function of the
 * beta distribution. Elementwise, broadcasting. Differentiable in x; a gradient with respect to a or b is an
 * UnsupportedError.
 */
export function betainc(a: TensorLike, b: TensorLike, x: TensorLike): Tensor {
  return floatTogether(betaincP, "special.betainc", [a, b, x]);
}
