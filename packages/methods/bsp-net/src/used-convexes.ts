import { requireInteger, ShapeError } from "@offprint/tensor-core";
import { INSIDE } from "./decoder.js";
import type { Dim } from "./features.js";
import { type BspShape, outsideness } from "./shape.js";

/** Cells per axis beyond which a grid does not fit in memory. */
const FINEST: Readonly<Record<Dim, number>> = { 2: 8192, 3: 512 };

/**
 * Centres of the cells of a grid over [-1/2, 1/2]^d, the last axis fastest: `[d resolution^d]`.
 * @throws ValueError for a resolution that is no integer from 1 to 8192 in 2D, 512 in 3D.
 */
export function cellCentres(dim: Dim, resolution: number, owner = "cellCentres"): Float64Array {
  requireInteger(owner, "resolution", resolution, 1, FINEST[dim]);
  const n = resolution ** dim;
  const points = new Float64Array(dim * n);
  for (let k = 0; k < n; k++) {
    let rest = k;
    for (let axis = dim - 1; axis >= 0; axis--) {
      points[dim * k + axis] = ((rest % resolution) + 0.5) / resolution - 0.5;
      rest = Math.floor(rest / resolution);
    }
  }
  return points;
}

/** Convexes that hold some cell, by their places in the shape, and the cells that each holds. */
export interface UsedConvexes {
  /** Places in `shape.convexes`. */
  readonly places: readonly number[];
  /** Per used convex, 1 for cells inside it (C* < 0.01): `[cells]`. */
  readonly inside: readonly Uint8Array[];
}

/**
 * Whether one plane alone has a row of points outside: what is computed for them grows or falls along the row, as rounding
 * keeps order, so that its ends tell.
 */
function rowOutside(planes: Float64Array, points: Float64Array, first: number, last: number, dim: Dim): boolean {
  for (let j = 0; j < planes.length; j += dim + 1) {
    let [atFirst, atLast] = [0, 0];
    for (let axis = 0; axis < dim; axis++) {
      atFirst += planes[j + axis] * points[dim * first + axis];
      atLast += planes[j + axis] * points[dim * last + axis];
    }
    if (atFirst + planes[j + dim] >= INSIDE && atLast + planes[j + dim] >= INSIDE) return true;
  }
  return false;
}

/** The planes with normals of at least unit length, so that flat ones do not hold cells far outside: a scale is none of the shape. */
function steepened(planes: Float64Array, dim: Dim): Float64Array {
  const steep = planes.slice();
  for (let j = 0; j < planes.length; j += dim + 1) {
    const length = Math.hypot(...planes.subarray(j, j + dim));
    if (length > 0 && length < 1) for (let i = j; i <= j + dim; i++) steep[i] /= length;
  }
  return steep;
}

/** Which convexes hold some centre of a grid's cells. */
export function usedConvexes(shape: BspShape, resolution: number, owner = "usedConvexes"): UsedConvexes {
  const { dim, convexes } = shape;
  const points = cellCentres(dim, resolution, owner);
  const n = points.length / dim;
  const places: number[] = [];
  const inside: Uint8Array[] = [];
  const mask = new Uint8Array(n);
  convexes.forEach(({ planes: given }, place) => {
    const planes = steepened(given, dim);
    let any = false;
    mask.fill(0);
    for (let first = 0; first < n; first += resolution) {
      if (rowOutside(planes, points, first, first + resolution - 1, dim)) continue;
      for (let k = first; k < first + resolution; k++) {
        const z = dim === 3 ? points[3 * k + 2] : 0;
        if (outsideness(planes, points[dim * k], points[dim * k + 1], z, dim, INSIDE) >= INSIDE) continue;
        mask[k] = 1;
        any = true;
      }
    }
    if (!any) return;
    places.push(place);
    inside.push(mask.slice());
  });
  return { places, inside };
}

/**
 * Greedily drops sets that the others cover, in order: a set goes where each of its cells is in another one that is
 * still there. The union stays.
 * @param inside per set, 1 for the cells in it: `[cells]`
 * @returns places of those that are kept
 * @throws ShapeError where the masks have different lengths.
 */
export function removeRedundant(inside: readonly Uint8Array[]): number[] {
  const n = inside[0]?.length ?? 0;
  const count = new Int32Array(n);
  for (const mask of inside) {
    if (mask.length !== n)
      throw new ShapeError(`removeRedundant: masks have ${n} and ${mask.length} cells; give equal`);
    for (let k = 0; k < n; k++) count[k] += mask[k];
  }
  return inside.flatMap((mask, i) => {
    // As in the paper's code: a cell outside has count - 0 >= 0, one inside needs a second cover.
    for (let k = 0; k < n; k++) if (count[k] - 2 * mask[k] < 0) return [i];
    for (let k = 0; k < n; k++) count[k] -= mask[k];
    return [];
  });
}
