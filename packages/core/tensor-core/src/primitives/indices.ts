import { arange } from "../construct.js";
import { DTypeError, IndexError, ShapeError } from "../errors.js";
import { add } from "../ops/elementwise.js";
import { reshape } from "../ops/movement.js";
import type { Spec } from "../primitive.js";
import { formatShape, type Shape, sizeOf } from "../shape.js";
import { contiguousData, type Tensor } from "../tensor.js";

/** The axis that indices run along; indices are int32, from 0 to one less than its extent. */
export interface IndexingParams {
  readonly axis: number;
}

/**
 * Throws an IndexError that names the first index outside `[lowest, extent)`.
 * @param source what the indices point into, for the message.
 */
export function checkIndices(
  operation: string,
  values: ArrayLike<number>,
  shape: Shape,
  lowest: number,
  extent: number,
  source: string,
): void {
  for (let i = 0; i < values.length; i++) {
    const index = values[i];
    if (index >= lowest && index < extent) continue;
    const position: number[] = [];
    for (let axis = shape.length - 1, rest = i; axis >= 0; axis--) {
      position.unshift(rest % shape[axis]);
      rest = Math.floor(rest / shape[axis]);
    }
    const range = extent === 0 ? "there is nothing to index" : `use ${lowest} to ${extent - 1}`;
    throw new IndexError(
      `${operation}: index ${index} at position ${formatShape(position)} of the indices is out of range for ` +
        `${source} of extent ${extent}; ${range}`,
    );
  }
}

/** Throws unless indices are int32. */
export function requireIndices(operation: string, indices: Spec): void {
  if (indices.dtype !== "int32") {
    throw new DTypeError(`${operation}: the indices are ${indices.dtype}; they must be int32`);
  }
}

/** `shape` with the extents of `indices` in the place of one axis. */
export function indexedShape(shape: Shape, indices: Shape, axis: number): number[] {
  return [...shape.slice(0, axis), ...indices, ...shape.slice(axis + 1)];
}

/** A tensor as `[outer, extent, inner]` around an axis. */
export function around(shape: Shape, axis: number): { outer: number; extent: number; inner: number } {
  return { outer: sizeOf(shape.slice(0, axis)), extent: shape[axis], inner: sizeOf(shape.slice(axis + 1)) };
}

/** The values behind a batch of indices where they are known, to find those that would reach another example. */
function checkBatch(operation: string, indices: Tensor, extent: number): void {
  let x = indices;
  while (x.storage.kind === "batched") x = x.storage.inner;
  if (x.storage.kind === "host") checkIndices(operation, contiguousData(x), x.shape, 0, extent, "the axis");
}

/** Indices `[batch, ...]` into each example as indices into the examples laid end to end. */
export function intoBatch(operation: string, indices: Tensor, extent: number, size: number): Tensor {
  checkBatch(operation, indices, extent);
  const step = Math.max(extent, 1);
  const starts = arange(0, size * step, step, "int32");
  return add(indices, reshape(starts, [size, ...new Array<number>(indices.rank - 1).fill(1)]));
}

/** The whole numbers from the first to below the second. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** Throws unless indices have the shape of the values, but for the axis. */
export function requireAligned(operation: string, x: Shape, indices: Shape, axis: number): void {
  if (x.length !== indices.length || x.some((n, i) => i !== axis && n !== indices[i])) {
    throw new ShapeError(
      `${operation}: indices ${formatShape(indices)} must have the shape ${formatShape(x)} of the values, but for axis ${axis}`,
    );
  }
}
