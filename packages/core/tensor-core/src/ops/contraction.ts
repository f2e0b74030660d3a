import { ShapeError } from "../errors.js";
import { bindOne } from "../primitive.js";
import { matmulP } from "../primitives/contraction.js";
import { broadcastShapes, formatShape, sizeOf } from "../shape.js";
import type { Tensor, TensorLike } from "../tensor.js";
import { asFloat, promoteOperands } from "./elementwise.js";
import { broadcastTo, reshape } from "./movement.js";

/**
 * The matrix product `[..., m, k] x [..., k, n] -> [..., m, n]`, as in NumPy: leading axes broadcast, a vector on
 * the left is a row and on the right a column, whose axis is dropped. Integers are multiplied as float32.
 * @throws ShapeError where the inner extents differ or an operand is a scalar.
 */
export function matmul(a: TensorLike, b: TensorLike): Tensor {
  const [x, y] = promoteOperands("matmul", [a, b]).map(asFloat);
  if (x.rank === 0 || y.rank === 0) throw new ShapeError("matmul: a scalar has no matrix product; use mul");
  const p = x.rank === 1 ? reshape(x, [1, x.shape[0]]) : x;
  const q = y.rank === 1 ? reshape(y, [y.shape[0], 1]) : y;
  const [m, k] = p.shape.slice(-2);
  const [k2, n] = q.shape.slice(-2);
  if (k !== k2) {
    throw new ShapeError(
      `matmul: ${formatShape(x.shape)} and ${formatShape(y.shape)} do not multiply: inner extents ${k} and ${k2} differ; transpose one of them?`,
    );
  }
  let product: Tensor;
  let lead: readonly number[];
  if (q.rank === 2 && p.rank > 2) {
    // One matrix on the right: the leading axes of the left are just more rows.
    lead = p.shape.slice(0, -2);
    product = bindOne(matmulP, [reshape(p, [sizeOf(lead) * m, k]), q], null);
  } else {
    lead = broadcastShapes("matmul", p.shape.slice(0, -2), q.shape.slice(0, -2));
    product = bindOne(matmulP, [broadcastTo(p, [...lead, m, k]), broadcastTo(q, [...lead, k, n])], null);
  }
  return reshape(product, [...lead, ...(x.rank === 1 ? [] : [m]), ...(y.rank === 1 ? [] : [n])]);
}
