import { eye } from "../construct.js";
import { ValueError } from "../errors.js";
import { matmul } from "../ops/contraction.js";
import { broadcastTo } from "../ops/movement.js";
import { bindOne } from "../primitive.js";
import { expmP, requireSquare } from "../primitives/linear-algebra.js";
import type { Tensor, TensorLike } from "../tensor.js";
import { asMatrices } from "./operands.js";
import { inverse } from "./solve.js";

/**
 * The exponential of square matrices `[..., n, n]`, by scaling and squaring.
 * @throws ValueError where a value is not finite; ShapeError where a matrix is not square.
 */
export function expm(a: TensorLike): Tensor {
  return bindOne(expmP, [asMatrices("expm", "a", a)], null);
}

/**
 * Square matrices `[..., n, n]` to an integer power; a negative one takes the inverse first.
 * @throws ValueError where the exponent is not an integer, or is negative and a matrix is singular.
 */
export function matrixPower(a: TensorLike, exponent: number): Tensor {
  if (!Number.isInteger(exponent)) {
    throw new ValueError(`linalg.matrixPower: exponent is ${exponent}; give an integer`);
  }
  const t = asMatrices("matrixPower", "a", a);
  const n = requireSquare("linalg.matrixPower", "a", t);
  if (exponent === 0) return broadcastTo(eye(n, n, t.dtype), t.shape);
  let square = exponent < 0 ? inverse(t) : t;
  let result: Tensor | undefined;
  for (let rest = Math.abs(exponent); ; square = matmul(square, square)) {
    if (rest % 2 === 1) result = result === undefined ? square : matmul(result, square);
    rest = Math.floor(rest / 2);
    if (rest === 0) return result as Tensor;
  }
}
