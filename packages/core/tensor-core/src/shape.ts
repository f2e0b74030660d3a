import { requireShape } from "./arguments.js";
import { IndexError, ShapeError } from "./errors.js";

/** Extent of a tensor along each axis. */
export type Shape = readonly number[];

/** Number of elements of a shape; 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (let i = 0; i < shape.length; i++) size *= shape[i];
  return size;
}

/** Strides, in elements, of a row-major array. */
export function rowMajorStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** `[2, 3]` as text for messages. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** The common shape under NumPy's broadcasting rule. */
export function broadcastShapes(operation: string, a: Shape, b: Shape): Shape {
  if (sameShape(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const x = i <= a.length ? a[a.length - i] : 1;
    const y = i <= b.length ? b[b.length - i] : 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new ShapeError(
        `${operation}: shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast: ` +
          `axis -${i} has ${x} and ${y}; make them equal or one of them 1 (reshape or expandDims)`,
      );
    }
    out[rank - i] = x === 1 ? y : x;
  }
  return out;
}

/** A non-negative axis; negative ones count from the end. */
export function normalizeAxis(operation: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new IndexError(
      rank === 0
        ? `${operation}: axis ${axis} given for a scalar, which has no axes`
        : `${operation}: axis ${axis} is out of range for rank ${rank}; use ${-rank} to ${rank - 1}`,
    );
  }
  return axis < 0 ? axis + rank : axis;
}

/** Sorted, distinct, non-negative axes; `undefined` means all of them. */
export function normalizeAxes(operation: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i);
  const list = typeof axes === "number" ? [axes] : axes;
  const out = list.map((axis) => normalizeAxis(operation, axis, rank)).sort((a, b) => a - b);
  for (let i = 1; i < out.length; i++) {
    if (out[i] === out[i - 1]) throw new IndexError(`${operation}: axis ${out[i]} is named twice; name each axis once`);
  }
  return out;
}

/** Throws unless every extent is a non-negative integer. */
export function validateShape(operation: string, shape: Shape): void {
  requireShape(operation, shape);
  for (const extent of shape) {
    if (!Number.isInteger(extent) || extent < 0) {
      throw new ShapeError(`${operation}: shape ${formatShape(shape)} must hold non-negative integers`);
    }
  }
}

/** Number of elements along the named axes. */
export function extentOf(shape: Shape, axes: readonly number[]): number {
  let size = 1;
  for (const axis of axes) size *= shape[axis];
  return size;
}
