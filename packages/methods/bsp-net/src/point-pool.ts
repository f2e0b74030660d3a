import { turn } from "@offprint/solvers";
import { type Rng, ShapeError, ValueError } from "@offprint/tensor-core";
import type { Dim } from "./features.js";
import type { LabelledPoints } from "./shape-gradient.js";

/** Which of `[d n]` coordinates are inside: `[n]`, 1 or true inside. */
export type Occupancy = (points: Float64Array) => ArrayLike<number | boolean> | Promise<ArrayLike<number | boolean>>;

/** Points of a shape and whether they are inside. */
export interface PointSamples {
  /** `[d n]` coordinates: in [-1/2, 1/2], or in units of their own where some lie beyond. */
  points: ArrayLike<number>;
  /** `[n]`: 1 inside and 0 outside. */
  values: ArrayLike<number | boolean>;
}

/** Points to fit a shape to, to draw from. */
export interface PointPool {
  /** All points. */
  readonly all: LabelledPoints;
  /** Numbers of all points, neighbours together: one half of a step is drawn from them, the other from `near`. */
  readonly uniform: Int32Array;
  /** Numbers of those near the surface, neighbours together; empty where that is not known. */
  readonly near: Int32Array;
}

/** Options of `drawPool`. */
export interface PoolOptions {
  /** Number of uniform points, >= 1. */
  size: number;
  /** Half-width of the jitter that tells which points are near the surface, > 0. */
  jitter: number;
}

function labels(owner: string, values: ArrayLike<number | boolean>, n: number): Uint8Array {
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
  return { all: { points, values }, uniform: spatialOrder(points, dim), near: new Int32Array(0) };
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
  const uniform = spatialOrder(points, dim);
  return { all: { points, values }, uniform, near: uniform.filter((i) => values[i] !== moved[i]) };
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
  const { all, uniform, near } = pool;
  const ofNear = near.length === 0 ? 0 : Math.floor(count / 2);
  const points = new Float64Array(count * dim);
  const values = new Uint8Array(count);
  let next = 0;
  for (const [from, some] of [
    [uniform, count - ofNear],
    [near, ofNear],
  ] as const) {
    // prettier-ignore
    if (some === 0) continue;
    // In the order of space: a point's neighbour most often has the same convexes near and far.
    for (const k of sortedDraws(some, from.length, rng)) {
      const point = from[k];
      for (let a = 0; a < dim; a++) points[dim * next + a] = all.points[dim * point + a];
      values[next++] = all.values[point];
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
  const chosen = new Float64Array(dim * order.length);
  order.forEach((k, i) => {
    chosen.set(points.subarray(dim * inside[k], dim * inside[k] + dim), dim * i);
  });
  return chosen;
}
