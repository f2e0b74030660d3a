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
  const { perConvex, dim } = planes;
  const rows = inSpace(planes);
  const slopes = new Float64Array(rows.length);
  const stride = perConvex * 4;
  const convexes = rows.length / stride;
  const n = values.length;
  const sums = new Float64Array(convexes);
  // For each convex, the plane that told last that a point is too far outside: it is asked first.
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
      const most = Math.max(s, least) / slope;
      const far = distanceTo(rows, rejecting[c], x, y, z) > most;
      sums[c] = far ? Infinity : slope * convexSum(rows, stride, c, x, y, z, most, rejecting);
      if (sums[c] < s) {
        s = sums[c];
        best = c;
      }
    }
    if (best >= 0) last = best;
    loss += inside ? s : 1 - s;
    if (s > 0 && best >= 0) {
      addGradient(rows, best * stride, stride, x, y, z, (inside ? slope : -slope) / n, slopes);
    }
    if (least === 0) continue;
    let holding = 0;
    for (let c = 0; c < convexes; c++) if (sums[c] < INSIDE) holding++;
    if (holding < 2) continue;
    for (let c = 0; c < convexes; c++) {
      if (sums[c] >= INSIDE || sums[c] === 0) continue;
      loss -= sums[c] / convexes;
      addGradient(rows, c * stride, stride, x, y, z, -slope / (n * convexes), slopes);
    }
  }
  for (let from = 0, to = 0; from < slopes.length; from += 4) {
    for (let a = 0; a < dim; a++) gradient[to++] = slopes[from + a];
    gradient[to++] = slopes[from + 3];
  }
  return loss / n;
}

/** Four numbers for each plane: in the plane, the third is 0. */
function inSpace({ rows, dim }: BlockPlanes): Float64Array {
  if (dim === 3) return rows;
  return Float64Array.from({ length: (rows.length / 3) * 4 }, (_, i) => {
    const [plane, a] = [Math.floor(i / 4), i % 4];
    return a === 2 ? 0 : rows[3 * plane + Math.min(a, 2)];
  });
}

/** How far a point is outside of a convex, summed over its planes; Infinity once that is above `most`. */
function convexSum(
  rows: Float64Array,
  stride: number,
  convex: number,
  x: number,
  y: number,
  z: number,
  most: number,
  rejecting: Int32Array,
): number {
  let total = 0;
  for (let j = convex * stride; j < (convex + 1) * stride; j += 4) {
    const d = distanceTo(rows, j, x, y, z);
    if (d > 0 && (total += d) > most) {
      rejecting[convex] = j;
      return Infinity;
    }
  }
  return total;
}

function distanceTo(rows: Float64Array, j: number, x: number, y: number, z: number): number {
  return rows[j] * x + rows[j + 1] * y + rows[j + 2] * z + rows[j + 3];
}

function addGradient(
  rows: Float64Array,
  start: number,
  stride: number,
  x: number,
  y: number,
  z: number,
  factor: number,
  gradient: Float64Array,
): void {
  for (let j = start; j < start + stride; j += 4) {
    if (distanceTo(rows, j, x, y, z) <= 0) continue;
    gradient[j] += factor * x;
    gradient[j + 1] += factor * y;
    gradient[j + 2] += factor * z;
    gradient[j + 3] += factor;
  }
}
