import { asTensor } from "../construct.js";
import { isFloat } from "../dtype.js";
import { ShapeError } from "../errors.js";
import { cast } from "../ops/elementwise.js";
import { broadcastTo, expandDims, squeeze } from "../ops/movement.js";
import { promoteOperands } from "../ops/operands.js";
import { broadcastShapes, formatShape } from "../shape.js";
import type { Tensor, TensorLike } from "../tensor.js";

/** Matrices `[..., m, n]` in a float type; integers become float32. */
export function asMatrices(operation: string, argument: string, x: TensorLike): Tensor {
  const t = asTensor(x);
  if (t.rank < 2) {
    throw new ShapeError(
      `linalg.${operation}: ${argument} has shape ${formatShape(t.shape)}; give matrices [..., rows, columns]`,
    );
  }
  return isFloat(t.dtype) ? t : cast(t, "float32");
}

/**
 * The operands of `op(a) x = b` with equal leading axes, and how to turn x back: a vector `b` is one column.
 */
export function alignSystem(
  operation: string,
  a: TensorLike,
  b: TensorLike,
  matrixName = "a",
): { a: Tensor; b: Tensor; restore(x: Tensor): Tensor } {
  const [p, q] = promoteOperands(`linalg.${operation}`, [a, b]);
  const matrix = asMatrices(operation, matrixName, p);
  if (q.rank === 0)
    throw new ShapeError(`linalg.${operation}: b is a scalar; give a vector [n] or matrices [..., n, k]`);
  const isVector = q.rank === 1;
  const right = cast(isVector ? expandDims(q, -1) : q, matrix.dtype);
  const lead = broadcastShapes(`linalg.${operation}`, matrix.shape.slice(0, -2), right.shape.slice(0, -2));
  return {
    a: broadcastTo(matrix, [...lead, ...matrix.shape.slice(-2)]),
    b: broadcastTo(right, [...lead, ...right.shape.slice(-2)]),
    restore: (x) => (isVector ? squeeze(x, -1) : x),
  };
}
