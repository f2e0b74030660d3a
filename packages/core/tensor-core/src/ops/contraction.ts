import { requireArray } from "../arguments.js";
import { asTensor } from "../construct.js";
import { ShapeError } from "../errors.js";
import { bindOne } from "../primitive.js";
import { matmulP } from "../primitives/contraction.js";
import { broadcastShapes, formatShape, normalizeAxis, sizeOf } from "../shape.js";
import type { Tensor, TensorLike } from "../tensor.js";
import { mul } from "./elementwise.js";
import { broadcastTo, reshape, transpose } from "./movement.js";
import { asFloat, promoteOperands } from "./operands.js";

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

/**
 * The product that NumPy calls dot: of two vectors their inner product, of matrices the matrix product, and in
 * general the sum over the last axis of `a` and the second last (or only) axis of `b`. Scalars multiply.
 * @throws ShapeError where the extents of those axes differ.
 */
export function dot(a: TensorLike, b: TensorLike): Tensor {
  const [x, y] = [asTensor(a), asTensor(b)];
  if (x.rank === 0 || y.rank === 0) return mul(x, y);
  if (x.rank === 1 && y.rank <= 2) return matmul(x, y);
  return tensordot(x, y, [[-1], [y.rank === 1 ? -1 : -2]]);
}

/** All products of an element of `a` and one of `b`, both flattened: `[a.size, b.size]`. */
export function outer(a: TensorLike, b: TensorLike): Tensor {
  return mul(reshape(a, [-1, 1]), reshape(b, [1, -1]));
}

/**
 * The sum of products over pairs of axes: the last `axes` of `a` with the first `axes` of `b` for a number (2 unless
 * told), or those listed for each. The result has the other axes of `a`, then those of `b`.
 * @throws ShapeError where paired axes differ in extent or number.
 * @example tensordot(a, b, [[1, 2], [0, 3]])
 */
export function tensordot(
  a: TensorLike,
  b: TensorLike,
  axes: number | readonly [readonly number[], readonly number[]] = 2,
): Tensor {
  const [x, y] = promoteOperands("tensordot", [a, b]).map(asFloat);
  const [ofX, ofY] = pairedAxes(x, y, axes);
  ofX.forEach((axis, i) => {
    if (x.shape[axis] !== y.shape[ofY[i]]) {
      throw new ShapeError(
        `tensordot: axis ${axis} of ${formatShape(x.shape)} and axis ${ofY[i]} of ${formatShape(y.shape)} differ in extent`,
      );
    }
  });
  const freeX = x.shape.map((_, axis) => axis).filter((axis) => !ofX.includes(axis));
  const freeY = y.shape.map((_, axis) => axis).filter((axis) => !ofY.includes(axis));
  const extents = (t: Tensor, list: readonly number[]) => list.map((axis) => t.shape[axis]);
  const summed = sizeOf(extents(x, ofX));
  const left = reshape(transpose(x, [...freeX, ...ofX]), [sizeOf(extents(x, freeX)), summed]);
  const right = reshape(transpose(y, [...ofY, ...freeY]), [summed, sizeOf(extents(y, freeY))]);
  return reshape(matmul(left, right), [...extents(x, freeX), ...extents(y, freeY)]);
}

function pairedAxes(
  x: Tensor,
  y: Tensor,
  axes: number | readonly [readonly number[], readonly number[]],
): [ofX: number[], ofY: number[]] {
  if (typeof axes === "number") {
    if (!Number.isInteger(axes) || axes < 0 || axes > Math.min(x.rank, y.rank)) {
      throw new ShapeError(`tensordot: axes is ${axes}; give an integer from 0 to ${Math.min(x.rank, y.rank)}`);
    }
    const first = Array.from({ length: axes }, (_, i) => i);
    return [first.map((i) => x.rank - axes + i), first];
  }
  requireArray("tensordot", axes, "two arrays of axes");
  for (const list of axes) requireArray("tensordot", list, "axes");
  const [ofX, ofY] = [x, y].map((t, k) => axes[k].map((axis) => normalizeAxis("tensordot", axis, t.rank)));
  if (ofX.length !== ofY.length || new Set(ofX).size !== ofX.length || new Set(ofY).size !== ofY.length) {
    throw new ShapeError(
      `tensordot: axes ${formatShape(axes[0])} and ${formatShape(axes[1])} must pair distinct axes of each operand`,
    );
  }
  return [ofX, ofY];
}

/** The Kronecker product: blocks of `b`, each times an element of `a`. Missing leading axes count as 1. */
export function kron(a: TensorLike, b: TensorLike): Tensor {
  const [x, y] = [asTensor(a), asTensor(b)];
  const rank = Math.max(x.rank, y.rank);
  const p = [...new Array<number>(rank - x.rank).fill(1), ...x.shape];
  const q = [...new Array<number>(rank - y.rank).fill(1), ...y.shape];
  const blocks = mul(
    reshape(
      x,
      p.flatMap((n) => [n, 1]),
    ),
    reshape(
      y,
      q.flatMap((n) => [1, n]),
    ),
  );
  return reshape(
    blocks,
    p.map((n, i) => n * q[i]),
  );
}
