import { exp, mul } from "../ops/elementwise.js";
import { bind } from "../primitive.js";
import { slogdetP } from "../primitives/lu.js";
import type { Tensor, TensorLike } from "../tensor.js";
import { asMatrices } from "./operands.js";

/** A determinant that neither overflows nor underflows. */
export interface SignedLogDeterminant {
  /** -1, 0 or 1 for each matrix; no gradient flows through it. */
  readonly sign: Tensor;
  /** Natural logarithm of the magnitude; -Infinity for a singular matrix. */
  readonly logAbsDet: Tensor;
}

/**
 * Sign and logarithm of the magnitude of the determinants of `[..., n, n]`.
 * @throws ValueError where a value is not finite, and from the gradient where a matrix is singular.
 */
export function slogdet(a: TensorLike): SignedLogDeterminant {
  const [sign, logAbsDet] = bind(slogdetP, [asMatrices("slogdet", "a", a)], null);
  return { sign, logAbsDet };
}

/**
 * The determinants of `[..., n, n]`; `slogdet` does not overflow.
 * @throws ValueError where a value is not finite, and from the gradient where a matrix is singular.
 */
export function det(a: TensorLike): Tensor {
  const { sign, logAbsDet } = slogdet(a);
  return mul(sign, exp(logAbsDet));
}
