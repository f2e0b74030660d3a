import { ValueError } from "@offprint/tensor-core";
import type { Dim } from "./features.js";

/** Where the cube [-1/2, 1/2]^d that shapes are computed in lies in the user's space: `x = centre + size u`. */
export interface Frame {
  /** `[d]`: the cube's centre. */
  readonly centre: readonly number[];
  /** Its side. */
  readonly size: number;
}

/** The lowest and the highest corner of the box of points, and its longest side. */
function boxOf(points: ArrayLike<number>, dim: Dim): { low: number[]; high: number[]; longest: number } {
  const low = new Array<number>(dim).fill(Infinity);
  const high = new Array<number>(dim).fill(-Infinity);
  for (let i = 0; i < points.length; i++) {
    low[i % dim] = Math.min(low[i % dim], points[i]);
    high[i % dim] = Math.max(high[i % dim], points[i]);
  }
  return { low, high, longest: Math.max(...high.map((x, axis) => x - low[axis])) };
}

/** Boxes smaller than this are not of the cube. */
const SMALLEST = 0.5;

/** Whether points are in units of their own: some of them beyond the cube, or all of them in a small part of it. */
export function inOwnUnits(points: ArrayLike<number>, dim: Dim): boolean {
  const { low, high, longest } = boxOf(points, dim);
  return [...low, ...high].some((x) => Math.abs(x) > 0.5) || (longest > 0 && longest < SMALLEST);
}

/**
 * The cube about the box of points.
 * @param share of the cube's side that the longest side of the box has, in (0, 1]
 * @throws ValueError for points that are none, not finite or all the same.
 */
export function frameAround(owner: string, points: ArrayLike<number>, dim: Dim, share: number): Frame {
  const { low, high, longest } = boxOf(points, dim);
  if (!(longest > 0 && longest < Infinity)) throw new ValueError(`${owner}: the shape has no finite extent`);
  return { centre: high.map((x, axis) => low[axis] + (x - low[axis]) / 2), size: longest / share };
}

/** Coordinates in the cube of coordinates in the user's space, one after the other. */
export function intoFrame(points: Float64Array, frame: Frame | undefined): Float64Array {
  if (frame === undefined) return points;
  const { centre, size } = frame;
  return points.map((x, i) => (x - centre[i % centre.length]) / size);
}

/** Coordinates in the user's space of coordinates in the cube, one after the other. */
export function outOfFrame(points: Float64Array, frame: Frame | undefined): Float64Array {
  if (frame === undefined) return points;
  const { centre, size } = frame;
  return points.map((u, i) => centre[i % centre.length] + size * u);
}
