import { requireArray, requireShape } from "../arguments.js";
import { type Axes, axisOptions } from "../axes.js";
import { asTensor } from "../construct.js";
import { IndexError, ShapeError, ValueError } from "../errors.js";
import { isWeak, weakResult } from "../literals.js";
import { bindOne, type Primitive } from "../primitive.js";
import { broadcastToP, concatenateP, padP, reshapeP, sliceP, transposeP } from "../primitives/movement.js";
import { formatShape, normalizeAxes, normalizeAxis, type Shape, sameShape, validateShape } from "../shape.js";
import type { Tensor, TensorLike } from "../tensor.js";
import { promoteOperands } from "./operands.js";

/** An axis by name. */
export interface AxisOption {
  /** Which axis; negative ones count from the end. */
  axis?: number;
}

/** One axis or several by name. */
export interface AxesOption {
  /** Which axes; negative ones count from the end. */
  axis?: Axes;
}

const AXIS = ["axis"];

function requiredAxis(owner: string, axis: number | AxisOption): number {
  const { axis: named } = axisOptions<AxisOption>(owner, AXIS, axis);
  if (named === undefined) throw new IndexError(`${owner}: no axis is given; say which one`);
  return named;
}

/** The values in row-major order under another shape; one extent may be -1 and is worked out. */
export function reshape(x: TensorLike, shape: Shape): Tensor {
  const t = asTensor(x);
  requireShape("reshape", shape);
  const open = shape.indexOf(-1);
  let full = shape;
  if (open >= 0) {
    const rest = shape.reduce((size, n, i) => (i === open ? size : size * n), 1);
    const extent = rest === 0 ? 0 : t.size / rest;
    if (!Number.isInteger(extent) || shape.indexOf(-1, open + 1) >= 0) {
      throw new ShapeError(
        `reshape: ${formatShape(t.shape)} cannot become ${formatShape(shape)}; one extent may be -1 and the others must divide ${t.size}`,
      );
    }
    full = shape.map((n, i) => (i === open ? extent : n));
  }
  validateShape("reshape", full);
  return sameShape(t.shape, full) ? t : reshaped(t, reshapeP, { shape: [...full] });
}

/** The same values under another shape; what is weakly typed stays so. */
function reshaped(t: Tensor, primitive: Primitive<{ shape: Shape }>, params: { shape: Shape }): Tensor {
  const result = bindOne(primitive, [t], params);
  return isWeak(t) ? weakResult(result, [t], (wide) => bindOne(primitive, wide, params)) : result;
}

/** All values in one axis. */
export function flatten(x: TensorLike): Tensor {
  return reshape(x, [-1]);
}

/** The axes in another order; reversed unless `permutation` is given. */
export function transpose(x: TensorLike, permutation?: readonly number[]): Tensor {
  const t = asTensor(x);
  if (permutation !== undefined) requireArray("transpose", permutation, "axes, each once");
  const order = permutation ?? t.shape.map((_, axis) => t.rank - 1 - axis);
  const axes = order.map((axis) => normalizeAxis("transpose", axis, t.rank));
  if (axes.length !== t.rank || new Set(axes).size !== t.rank) {
    throw new ShapeError(`transpose: permutation ${formatShape(order)} must name each of the ${t.rank} axes once`);
  }
  return axes.every((axis, i) => axis === i) ? t : bindOne(transposeP, [t], { permutation: axes });
}

/** Exchanges two axes. */
export function swapAxes(x: TensorLike, a: number, b: number): Tensor {
  const t = asTensor(x);
  const order = t.shape.map((_, axis) => axis);
  const [i, j] = [normalizeAxis("swapAxes", a, t.rank), normalizeAxis("swapAxes", b, t.rank)];
  [order[i], order[j]] = [order[j], order[i]];
  return transpose(t, order);
}

/** Moves one axis to another place, keeping the order of the rest. */
export function moveAxis(x: TensorLike, from: number, to: number): Tensor {
  const t = asTensor(x);
  const source = normalizeAxis("moveAxis", from, t.rank);
  const order = t.shape.map((_, axis) => axis).filter((axis) => axis !== source);
  order.splice(normalizeAxis("moveAxis", to, t.rank), 0, source);
  return transpose(t, order);
}

/** Repeats extents of 1 and adds leading axes, by NumPy's rule; takes no memory. */
export function broadcastTo(x: TensorLike, shape: Shape): Tensor {
  const t = asTensor(x);
  requireShape("broadcastTo", shape);
  if (sameShape(t.shape, shape)) return t;
  validateShape("broadcastTo", shape);
  return reshaped(t, broadcastToP, { shape });
}

/** Adds an axis of extent 1 at `axis`. */
export function expandDims(x: TensorLike, axis: number | AxisOption): Tensor {
  const t = asTensor(x);
  const at = normalizeAxis("expandDims", requiredAxis("expandDims", axis), t.rank + 1);
  return reshape(t, [...t.shape.slice(0, at), 1, ...t.shape.slice(at)]);
}

/** Drops axes of extent 1: all of them, or those named. */
export function squeeze(x: TensorLike, axis?: Axes | AxesOption): Tensor {
  const t = asTensor(x);
  const { axis: named } = axisOptions<AxesOption>("squeeze", AXIS, axis);
  if (named === undefined)
    return reshape(
      t,
      t.shape.filter((n) => n !== 1),
    );
  const axes = normalizeAxes("squeeze", named, t.rank);
  for (const a of axes) {
    if (t.shape[a] !== 1)
      throw new ShapeError(`squeeze: axis ${a} of ${formatShape(t.shape)} has extent ${t.shape[a]}, not 1`);
  }
  return reshape(
    t,
    t.shape.filter((_, i) => !axes.includes(i)),
  );
}

/** Which part of an axis to take: all of it, one index (dropping the axis), or from `start` to before `stop`. */
export type SliceIndex = null | number | { readonly start?: number; readonly stop?: number; readonly step?: number };

/**
 * Part of a tensor. One entry per axis, later axes are kept whole: null for all, a number to take one index and drop
 * the axis, `{ start, stop, step }` as in Python (negative indices count from the end, steps may be negative).
 * @example slice(x, [null, { start: 1, step: 2 }, -1]) // x[:, 1::2, -1]
 */
export function slice(x: TensorLike, index: readonly SliceIndex[]): Tensor {
  const t = asTensor(x);
  requireArray("slice", index, "entries, one for each axis");
  if (index.length > t.rank) {
    throw new IndexError(`slice: ${index.length} entries for a tensor of rank ${t.rank}; give at most one an axis`);
  }
  const starts: number[] = [];
  const counts: number[] = [];
  const steps: number[] = [];
  const kept: number[] = [];
  t.shape.forEach((extent, axis) => {
    const [start, count, step] = resolveIndex(index[axis] ?? null, extent, axis);
    starts.push(start);
    counts.push(count);
    steps.push(step);
    if (typeof index[axis] !== "number") kept.push(count);
  });
  const whole = counts.every((n, axis) => n === t.shape[axis] && steps[axis] === 1);
  return reshape(whole ? t : bindOne(sliceP, [t], { starts, counts, steps }), kept);
}

function resolveIndex(index: SliceIndex, extent: number, axis: number): [start: number, count: number, step: number] {
  if (index === null) return [0, extent, 1];
  if (typeof index === "number") {
    if (!Number.isInteger(index) || index < -extent || index >= extent) {
      throw new IndexError(`slice: index ${index} is out of range for axis ${axis} of extent ${extent}`);
    }
    return [index < 0 ? index + extent : index, 1, 1];
  }
  const step = index.step ?? 1;
  if (![index.start ?? 0, index.stop ?? 0, step].every(Number.isInteger) || step === 0) {
    throw new IndexError(`slice: axis ${axis}: start, stop and step must be integers and the step not 0`);
  }
  const [low, high] = step > 0 ? [0, extent] : [-1, extent - 1];
  const place = (i: number): number => Math.min(Math.max(i < 0 ? i + extent : i, low), high);
  const start = index.start === undefined ? (step > 0 ? low : high) : place(index.start);
  const stop = index.stop === undefined ? (step > 0 ? high : low) : place(index.stop);
  return [start, Math.max(0, Math.ceil((stop - start) / step)), step];
}

/** Adds `value` around a tensor: per axis `[before, after]`, or one pair for all; negative counts cut. */
export function pad(
  x: TensorLike,
  widths: readonly (readonly [number, number])[] | readonly [number, number],
  value = 0,
): Tensor {
  const t = asTensor(x);
  requireArray("pad", widths, "[before, after] for each axis");
  const pairs = (typeof widths[0] === "number" ? t.shape.map(() => widths) : widths) as readonly (readonly [
    number,
    number,
  ])[];
  const wrong = pairs.length !== t.rank || !pairs.every((p) => p.length === 2 && p.every(Number.isInteger));
  if (wrong || typeof value !== "number") {
    throw new ShapeError(`pad: give integers [before, after] for each of ${t.rank} axes and a number`);
  }
  if (!pairs.flat().some(Boolean)) return t;
  return bindOne(padP, [t], {
    low: pairs.map((p) => p[0]),
    high: pairs.map((p) => p[1]),
    interior: pairs.map(() => 0),
    value,
  });
}

function promoted(operation: string, parts: readonly TensorLike[]): Tensor[] {
  requireArray(operation, parts, "tensors");
  if (parts.length === 0) throw new ValueError(`${operation}: give at least one tensor`);
  return promoteOperands(operation, parts);
}

/** Joins tensors along an existing axis (the first unless told). */
export function concatenate(parts: readonly TensorLike[], axis?: number | AxisOption): Tensor {
  const { axis: along = 0 } = axisOptions<AxisOption>("concatenate", AXIS, axis);
  const tensors = promoted("concatenate", parts);
  const at = normalizeAxis("concatenate", along, tensors[0].rank);
  return tensors.length === 1 ? tensors[0] : bindOne(concatenateP, tensors, { axis: at });
}

/** Joins tensors of one shape along a new axis (the first unless told). */
export function stack(parts: readonly TensorLike[], axis?: number | AxisOption): Tensor {
  const { axis: along = 0 } = axisOptions<AxisOption>("stack", AXIS, axis);
  const tensors = promoted("stack", parts);
  for (const t of tensors) {
    if (!sameShape(t.shape, tensors[0].shape)) {
      throw new ShapeError(`stack: shapes ${formatShape(tensors[0].shape)} and ${formatShape(t.shape)} differ`);
    }
  }
  return concatenate(
    tensors.map((t) => expandDims(t, along)),
    along,
  );
}

/** Cuts an axis into equally long parts, or at the given lengths. */
export function split(x: TensorLike, parts: number | readonly number[], axis?: number | AxisOption): Tensor[] {
  const { axis: along = 0 } = axisOptions<AxisOption>("split", AXIS, axis);
  const t = asTensor(x);
  const at = normalizeAxis("split", along, t.rank);
  if (typeof parts !== "number") requireArray("split", parts, "lengths, or give the number of parts");
  const count = typeof parts === "number" ? parts : parts.length;
  const lengths = typeof parts === "number" ? Array.from({ length: count }, () => t.shape[at] / count) : parts;
  if (
    !Number.isInteger(count) ||
    count < 0 ||
    lengths.some((n) => !Number.isInteger(n) || n < 0) ||
    lengths.reduce((a, b) => a + b, 0) !== t.shape[at]
  ) {
    throw new ShapeError(
      `split: axis ${at} of extent ${t.shape[at]} cannot be cut into ${typeof parts === "number" ? `${parts} equal parts` : formatShape(lengths)}`,
    );
  }
  let start = 0;
  return lengths.map((n) => {
    const index: SliceIndex[] = t.shape.map(() => null);
    index[at] = { start, stop: start + n };
    start += n;
    return slice(t, index);
  });
}

/** Reverses the order along one axis, several, or all. */
export function flip(x: TensorLike, axis?: Axes | AxesOption): Tensor {
  const t = asTensor(x);
  const axes = normalizeAxes("flip", axisOptions<AxesOption>("flip", AXIS, axis).axis, t.rank);
  return slice(
    t,
    t.shape.map((_, i) => (axes.includes(i) ? { step: -1 } : null)),
  );
}

/** Repeats a tensor `counts[i]` times along each axis (counts align with the last axes). */
export function tile(x: TensorLike, counts: readonly number[]): Tensor {
  validateShape("tile", counts);
  const t = asTensor(x);
  const rank = Math.max(t.rank, counts.length);
  const shape = [...new Array<number>(rank - t.rank).fill(1), ...t.shape];
  const times = [...new Array<number>(rank - counts.length).fill(1), ...counts];
  const wide = broadcastTo(
    reshape(
      t,
      shape.flatMap((n) => [1, n]),
    ),
    shape.flatMap((n, i) => [times[i], n]),
  );
  return reshape(
    wide,
    shape.map((n, i) => n * times[i]),
  );
}

/** Repeats every element along an axis. */
export function repeat(x: TensorLike, times: number, axis: number | AxisOption): Tensor {
  validateShape("repeat", [times]);
  const t = asTensor(x);
  const at = normalizeAxis("repeat", requiredAxis("repeat", axis), t.rank);
  const head = t.shape.slice(0, at + 1);
  const tail = t.shape.slice(at + 1);
  const wide = broadcastTo(reshape(t, [...head, 1, ...tail]), [...head, times, ...tail]);
  return reshape(wide, [...t.shape.slice(0, at), t.shape[at] * times, ...tail]);
}

/** Shifts elements along an axis; those that leave at one end come back at the other. */
export function roll(x: TensorLike, shift: number, axis: number | AxisOption): Tensor {
  const t = asTensor(x);
  const at = normalizeAxis("roll", requiredAxis("roll", axis), t.rank);
  const extent = t.shape[at];
  if (!Number.isInteger(shift)) throw new ValueError(`roll: the shift is ${shift}; give an integer`);
  const by = extent === 0 ? 0 : ((shift % extent) + extent) % extent;
  if (by === 0) return t;
  const [a, b] = split(t, [extent - by, by], at);
  return concatenate([b, a], at);
}
