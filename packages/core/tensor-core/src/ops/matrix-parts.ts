import { requireArray } from "../arguments.js";
import { checkOptions } from "../check-options.js";
import { arange, asTensor } from "../construct.js";
import { ShapeError, ValueError } from "../errors.js";
import { bindOne } from "../primitive.js";
import { sliceP } from "../primitives/movement.js";
import { formatShape, normalizeAxis } from "../shape.js";
import type { Tensor, TensorLike } from "../tensor.js";
import { equal, lessEqual, where } from "./elementwise.js";
import { broadcastTo, expandDims, pad, reshape, transpose } from "./movement.js";
import { sum } from "./reduction.js";

function requireOffset(operation: string, offset: number): void {
  if (!Number.isInteger(offset)) throw new ValueError(`${operation}: offset is ${offset}; give an integer`);
}

function matrices(operation: string, x: TensorLike, offset: number): Tensor {
  const t = asTensor(x);
  if (t.rank < 2) {
    throw new ShapeError(`${operation}: ${formatShape(t.shape)} is no matrix; give [..., rows, columns]`);
  }
  requireOffset(operation, offset);
  return t;
}

/** Row numbers `[rows, 1]` shifted by `offset`, and column numbers `[columns]`. */
function coordinates(rows: number, columns: number, offset: number): [row: Tensor, column: Tensor] {
  return [reshape(arange(offset, offset + rows, 1, "int32"), [rows, 1]), arange(0, columns, 1, "int32")];
}

/**
 * The lower triangles of `[..., rows, columns]`, zeros elsewhere; with an offset everything on and below the
 * diagonal that lies `offset` above the main one.
 */
export function tril(x: TensorLike, offset = 0): Tensor {
  const t = matrices("tril", x, offset);
  const [row, column] = coordinates(t.shape[t.rank - 2], t.shape[t.rank - 1], offset);
  return where(lessEqual(column, row), t, t.dtype === "bool" ? false : 0);
}

/**
 * The upper triangles of `[..., rows, columns]`, zeros elsewhere; with an offset everything on and above the
 * diagonal that lies `offset` above the main one.
 */
export function triu(x: TensorLike, offset = 0): Tensor {
  const t = matrices("triu", x, offset);
  const [row, column] = coordinates(t.shape[t.rank - 2], t.shape[t.rank - 1], offset);
  return where(lessEqual(row, column), t, t.dtype === "bool" ? false : 0);
}

/** Which diagonal of which two axes. */
export interface DiagonalOptions {
  /** How far above the main diagonal; negative is below. Default 0. */
  offset?: number;
  /** The axes of the rows and of the columns. Default the last two. */
  axes?: readonly [number, number];
}

/** The diagonal of two axes (the last two unless told), as a new last axis: `[..., n, n] -> [..., n]`. */
export function diagonal(x: TensorLike, options: DiagonalOptions = {}): Tensor {
  checkOptions("diagonal", options, ["offset", "axes"]);
  const { offset = 0, axes = [-2, -1] } = options;
  const t = matrices("diagonal", x, offset);
  const [row, column] = axes.map((axis) => normalizeAxis("diagonal", axis, t.rank));
  if (row === column) throw new ShapeError(`diagonal: axes ${formatShape(axes)} are the same; name two`);
  const lead = t.shape.map((_, axis) => axis).filter((axis) => axis !== row && axis !== column);
  const [m, n] = [t.shape[row], t.shape[column]];
  const moved = transpose(t, [...lead, row, column]);
  // Along the rows laid end to end, the diagonal is every (n + 1)-th element.
  const flat = reshape(moved, [...moved.shape.slice(0, -2), m * n]);
  const first = offset < 0 ? -offset * n : offset;
  const count = Math.max(0, offset < 0 ? Math.min(m + offset, n) : Math.min(m, n - offset));
  return bindOne(sliceP, [flat], {
    starts: [...lead.map(() => 0), count === 0 ? 0 : first],
    counts: [...flat.shape.slice(0, -1), count],
    steps: [...lead.map(() => 1), n + 1],
  });
}

/**
 * Square matrices with `x` `[..., n]` on a diagonal and zeros elsewhere: `[..., n + |offset|, n + |offset|]`. The
 * inverse of `diagonal`.
 */
export function diag(x: TensorLike, offset = 0): Tensor {
  const t = asTensor(x);
  if (t.rank === 0) throw new ShapeError("diag: a scalar given; give the diagonal, [..., n]");
  requireOffset("diag", offset);
  const extent = t.shape[t.rank - 1] + Math.abs(offset);
  const lead = t.shape.slice(0, -1);
  const long = pad(t, [...lead.map((): [number, number] => [0, 0]), [0, Math.abs(offset)]]);
  const [row, column] = coordinates(extent, extent, offset);
  // Above the main diagonal each row holds its own element, below it each column.
  return where(equal(column, row), expandDims(long, offset < 0 ? -2 : -1), t.dtype === "bool" ? false : 0);
}

/** The sum of the diagonal of `[..., rows, columns]`, one number for each matrix. */
export function matrixTrace(x: TensorLike, offset = 0): Tensor {
  return sum(diagonal(x, { offset }), { axis: -1 });
}

/**
 * Coordinates of a grid, one tensor for each vector given: with indexing "ij" all of shape `[n0, n1, n2, ...]`, with
 * "xy" (the default, as in NumPy) of `[n1, n0, n2, ...]`.
 * @example const [x, y] = meshgrid([linspace(0, 1, 3), linspace(0, 1, 2)]); // both [2, 3]
 */
export function meshgrid(vectors: readonly TensorLike[], options: { indexing?: "xy" | "ij" } = {}): Tensor[] {
  checkOptions("meshgrid", options, ["indexing"]);
  requireArray("meshgrid", vectors, "vectors");
  const parts = vectors.map((v) => asTensor(v));
  const wrong = parts.findIndex((t) => t.rank !== 1);
  if (wrong >= 0) {
    throw new ShapeError(`meshgrid: argument ${wrong} has shape ${formatShape(parts[wrong].shape)}; give vectors [n]`);
  }
  const order = parts.map((_, i) => i);
  if (options.indexing !== "ij" && order.length > 1) [order[0], order[1]] = [1, 0];
  const shape = order.map((i) => parts[i].shape[0]);
  return parts.map((t, i) =>
    broadcastTo(
      reshape(
        t,
        shape.map((_, axis) => (order[axis] === i ? t.shape[0] : 1)),
      ),
      shape,
    ),
  );
}
