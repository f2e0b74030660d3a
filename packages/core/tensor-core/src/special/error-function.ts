import { floatUnary } from "../ops/operands.js";
import { erfcP, erfinvP, erfP } from "../primitives/special.js";
import type { Tensor, TensorLike } from "../tensor.js";

/** The error function `2 / sqrt(pi) * integral of e^(-t^2) from 0 to x`. Elementwise. */
export function erf(x: TensorLike): Tensor {
  return floatUnary(erfP, x);
}

/** `1 - erf(x)`, accurate where it is small. Elementwise. */
export function erfc(x: TensorLike): Tensor {
  return floatUnary(erfcP, x);
}

/** The inverse of `erf`: infinite at -1 and 1, NaN outside. Elementwise. */
export function erfinv(x: TensorLike): Tensor {
  return floatUnary(erfinvP, x);
}
