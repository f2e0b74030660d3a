import { turn } from "@offprint/solvers";
import { type Rng, requireObject, ShapeError, ValueError } from "@offprint/tensor-core";
import type { Dim } from "./features.js";
import type { LabelledPoints } from "./shape-gradient.js";

/** Which of `[d n]` coordinates are inside: `[n]`, 1 or true inside. */
export type Occupancy = (points: Float64Array) => ArrayLike<number | boolean> | Promise<ArrayLike<number | boolean>>;

/** Points of a shape and whether they are inside. */
export interface PointSamples {
  /**
   * `[d n]` coordinates: in [-1/2, 1/2], or in units of their own where some lie beyond, or all in less than half of its
   * width.
   */
  points: ArrayLike<number>;
  /** `[n]`: 1 inside and 0 outside. */
  values: ArrayLike<number | boolean>;
}

/** Points to fit a shape to, to draw from: one half of a step from all, the other from those near the surface. */
export interface PointPool {
  /** All points, neighbours together. */
  readonly all: LabelledPoints;
  /** Those near the surface, neighbours together; none where that is not known. */
  readonly near: LabelledPoints;
}

/** Options of `drawPool`. */
export interface PoolOptions {
  /** Number of uniform points, >= 1. */
  size: number;
  /** Half-width of the jitter that tells which points are near the surface, > 0. */
  jitter: number;
}

function labels(owner: string, values: ArrayLike<number | boolean>, n: number): Uint8Array {
  requireObject(owner, "values", values, "an array with 1 inside and 0 outside");
  if (values.length !== n)
    throw new ShapeError(`${owner}: ${values.length} values for ${n} points; give one per point`);
  const result = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    const v = Number(values[i]);
    if (v !== 0 && v !== 1)
      throw new ValueError(`${owner}: value ${i} is ${String(values[i])}; give 1 inside, 0 outside`);
    result[i] = v;
  }
  return result;
}

function requireBothSides(owner: string, values: Uint8Array): void {
  const inside = values.reduce((total, v) => total + v, 0);
  if (inside === 0) {
    throw new ValueError(`${owner}: none of ${values.length} points is inside; the shape must lie in [-1/2, 1/2]`);
  }
  if (inside === values.length) {
    throw new ValueError(`${owner}: all ${values.length} points are inside; the shape must leave room in [-1/2, 1/2]`);
  }
}

/** Cells per axis by which points are put in an order. */
const CELLS = 16;

/** Some of the points, in a given order. */
function chosen({ points, values }: LabelledPoints, order: Int32Array, dim: Dim): LabelledPoints {
  const some = { points: new Float64Array(dim * order.length), values: new Uint8Array(order.length) };
  for (let i = 0; i < order.length; i++) {
    for (let a = 0; a < dim; a++) some.points[dim * i + a] = points[dim * order[i] + a];
    some.values[i] = values[order[i]];
  }
  return some;
}

/** Numbers of points, those in one cell of a coarse grid together. */
function spatialOrder(points: Float64Array, dim: Dim): Int32Array {
  const n = points.length / dim;
  const cells = new Int32Array(n);
  const starts = new Int32Array(CELLS ** dim + 1);
  for (let i = 0; i < n; i++) {
    for (let a = 0; a < dim; a++) {
      const along = Math.floor((points[dim * i + a] + 0.5) * CELLS);
      cells[i] = cells[i] * CELLS + Math.min(CELLS - 1, Math.max(0, along));
    }
    starts[cells[i] + 1]++;
  }
  for (let c = 1; c < starts.length; c++) starts[c] += starts[c - 1];
  const order = new Int32Array(n);
  for (let i = 0; i < n; i++) order[starts[cells[i]]++] = i;
  return order;
}

/** The user's samples, as points of the shape's cube, as a pool. */
export function poolOfSamples(points: Float64Array, given: PointSamples["values"], dim: Dim): PointPool {
  const values = labels("fitShape", given, points.length / dim);
  requireBothSides("fitShape", values);
  const near = { points: new Float64Array(0), values: new Uint8Array(0) };
  return { all: chosen({ points, values }, spatialOrder(points, dim), dim), near };
}

/** Points that the inside test is asked about at once. */
const ASKED = 50_000;

/**
 * Uniform points of [-1/2, 1/2]^d, and those among them that are near the surface: where a jittered copy is on the other
 * side. Null where the signal fired meanwhile.
 */
export async function drawPool(
  occupied: Occupancy,
  dim: Dim,
  { size, jitter }: PoolOptions,
  rng: Rng,
  signal: AbortSignal | undefined,
): Promise<PointPool | null> {
  const points = new Float64Array(size * dim);
  const values = new Uint8Array(size);
  const moved = new Uint8Array(size);
  for (let start = 0; start < size; start += ASKED) {
    const count = Math.min(ASKED, size - start);
    const some = rng.uniform([count * dim], { low: -0.5, high: 0.5, dtype: "float64" }).data() as Float64Array;
    const moves = rng.uniform([count * dim], { low: -jitter, high: jitter, dtype: "float64" }).data();
    points.set(some, start * dim);
    values.set(labels("fitShape: occupied", await occupied(some.slice()), count), start);
    await turn();
    for (let i = 0; i < some.length; i++) some[i] += moves[i];
    moved.set(labels("fitShape: occupied", await occupied(some), count), start);
    await turn();
    if (signal?.aborted) return null;
  }
  requireBothSides("fitShape", values);
  const order = spatialOrder(points, dim);
  const drawn = { points, values };
  const near = order.filter((i) => values[i] !== moved[i]);
  return { all: chosen(drawn, order, dim), near: chosen(drawn, near, dim) };
}

/** `count` random integers below `high`, in rising order: exponential gaps, as between sorted uniform numbers. */
function sortedDraws(count: number, high: number, rng: Rng): Int32Array {
  const sums = rng.exponential([count + 1], { dtype: "float64" }).data() as Float64Array;
  let total = 0;
  for (let i = 0; i <= count; i++) total += sums[i];
  const result = new Int32Array(count);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += sums[i];
    result[i] = Math.min(high - 1, Math.floor((sum / total) * high));
  }
  return result;
}

/** Some of the pool's points: half of them near the surface, where it knows which are. */
export function drawPoints(pool: PointPool, count: number, dim: Dim, rng: Rng): LabelledPoints {
  const { all, near } = pool;
  const ofNear = near.values.length === 0 ? 0 : Math.floor(count / 2);
  const points = new Float64Array(count * dim);
  const values = new Uint8Array(count);
  let next = 0;
  for (const [from, some] of [
    [all, count - ofNear],
    [near, ofNear],
  ] as const) {
    // prettier-ignore
    if (some === 0) continue;
    // In the order of space: a point's neighbour most often has the same convexes near and far.
    for (const k of sortedDraws(some, from.values.length, rng)) {
      for (let a = 0; a < dim; a++) points[dim * next + a] = from.points[dim * k + a];
      values[next++] = from.values[k];
    }
  }
  return { points, values };
}

/** Up to `most` of the inside points, in random order: `[d n]`. */
export function insidePoints({ all: { points, values } }: PointPool, most: number, dim: Dim, rng: Rng): Float64Array {
  const inside = new Int32Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i] === 1) inside[count++] = i;
  const order = rng.permutation(count).data().slice(0, most);
  const some = new Float64Array(dim * order.length);
  order.forEach((k, i) => {
    some.set(points.subarray(dim * inside[k], dim * inside[k] + dim), dim * i);
  });
  return some;
}
