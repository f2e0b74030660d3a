import { INSIDE } from "./decoder.js";
import type { Dim } from "./features.js";

/** Planes of a shape whose convexes have `perConvex` each, and nothing else connected. */
export interface BlockPlanes {
  /** `[(d + 1) convexes perConvex]`, a row per plane. */
  readonly rows: Float64Array;
  /** Planes of a convex. */
  readonly perConvex: number;
  /** Dimensions of space. */
  readonly dim: Dim;
}

/** Points of a step. */
export interface LabelledPoints {
  /** `[d n]` coordinates. */
  readonly points: Float64Array;
  /** `[n]`: 1 inside and 0 outside. */
  readonly values: Uint8Array;
}

/**
 * The loss of phases 1 and 2 with its gradient, for D multiplied by `slope`. It is exact and does little work: outside,
 * only the convex of the minimum has a gradient, so that a convex is left as soon as its sum exceeds the least so far.
 * @param gradient is overwritten: `[(d + 1) convexes perConvex]`
 * @returns the loss
 */
export function blockLoss(
  planes: BlockPlanes,
  { points, values }: LabelledPoints,
  slope: number,
  overlap: boolean,
  gradient: Float64Array,
): number {
  const { rows, perConvex, dim } = planes;
  const width = dim + 1;
  const stride = perConvex * width;
  const convexes = rows.length / stride;
  const n = values.length;
  gradient.fill(0);
  const sums = new Float64Array(convexes);
  const rejecting = Int32Array.from({ length: convexes }, (_, c) => c * stride);
  let loss = 0;
  let last = 0;
  for (let k = 0; k < n; k++) {
    const x = points[dim * k];
    const y = points[dim * k + 1];
    const z = dim === 3 ? points[3 * k + 2] : 0;
    const inside = values[k] === 1;
    // Where several convexes may count, their sums are needed up to the threshold.
    const least = overlap && inside ? INSIDE : 0;
    // An outside point that is one unit outside of every convex adds nothing.
    let s = inside ? Infinity : 1;
    let best = -1;
    // The convex that was nearest to the last point comes first: it often is near this one too.
    for (let i = -1; i < convexes && (s > 0 || least > 0); i++) {
      const c = i < 0 ? last : i;
      if (i === last) continue;
      sums[c] = slope * convexSum(planes, c, x, y, z, Math.max(s, least) / slope, rejecting);
      if (sums[c] < s) {
        s = sums[c];
        best = c;
      }
    }
    if (best >= 0) last = best;
    loss += inside ? s : 1 - s;
    if (s > 0 && best >= 0) {
      addGradient(rows, best * stride, stride, dim, x, y, z, (inside ? slope : -slope) / n, gradient);
    }
    if (least === 0) continue;
    let holding = 0;
    for (let c = 0; c < convexes; c++) if (sums[c] < INSIDE) holding++;
    if (holding < 2) continue;
    for (let c = 0; c < convexes; c++) {
      if (sums[c] >= INSIDE || sums[c] === 0) continue;
      loss -= sums[c] / convexes;
      addGradient(rows, c * stride, stride, dim, x, y, z, -slope / (n * convexes), gradient);
    }
  }
  return loss / n;
}

/**
 * How far a point is outside of a convex, summed over its planes; Infinity once that is above `most`. The plane that told
 * so last time is asked first.
 */
function convexSum(
  { rows, perConvex, dim }: BlockPlanes,
  convex: number,
  x: number,
  y: number,
  z: number,
  most: number,
  rejecting: Int32Array,
): number {
  const width = dim + 1;
  const first = rejecting[convex];
  if (distanceTo(rows, first, dim, x, y, z) > most) return Infinity;
  const end = (convex + 1) * perConvex * width;
  let total = 0;
  for (let j = end - perConvex * width; j < end; j += width) {
    const d = distanceTo(rows, j, dim, x, y, z);
    if (d > 0 && (total += d) > most) {
      rejecting[convex] = j;
      return Infinity;
    }
  }
  return total;
}

function distanceTo(rows: Float64Array, j: number, dim: Dim, x: number, y: number, z: number): number {
  const flat = rows[j] * x + rows[j + 1] * y;
  return dim === 3 ? flat + rows[j + 2] * z + rows[j + 3] : flat + rows[j + 2];
}

function addGradient(
  rows: Float64Array,
  start: number,
  stride: number,
  dim: Dim,
  x: number,
  y: number,
  z: number,
  factor: number,
  gradient: Float64Array,
): void {
  const width = dim + 1;
  for (let j = start; j < start + stride; j += width) {
    if (distanceTo(rows, j, dim, x, y, z) <= 0) continue;
    gradient[j] += factor * x;
    gradient[j + 1] += factor * y;
    if (dim === 3) gradient[j + 2] += factor * z;
    gradient[j + dim] += factor;
  }
}
