import { add, mul } from "../ops/elementwise.js";
import { tril } from "../ops/matrix-parts.js";
import { swapAxes } from "../ops/movement.js";
import type { Tensor } from "../tensor.js";

/** The last two axes exchanged. */
export function matrixTranspose(x: Tensor): Tensor {
  return swapAxes(x, -1, -2);
}

/** `(x + x^T) / 2`. */
export function symmetricPart(x: Tensor): Tensor {
  return mul(add(x, matrixTranspose(x)), 0.5);
}

/** The matrix with its diagonal halved and everything above it 0. */
export function lowerHalf(x: Tensor): Tensor {
  return mul(add(tril(x), tril(x, -1)), 0.5);
}
