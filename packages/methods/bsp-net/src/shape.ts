import {
  asTensor,
  checkOptions,
  requireChoice,
  requireObject,
  ShapeError,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { CONNECTED } from "./decoder.js";
import type { Dim } from "./features.js";
import { type Frame, intoFrame } from "./frame.js";

/** An intersection of half-spaces. */
export interface Convex {
  /** Number of the convex in the network: the same number is the same part in every shape. */
  readonly index: number;
  /** `[(d + 1) m]`: the half-spaces `a x + b y + c z + d <= 0`, one after the other, not normalised. */
  readonly planes: Float64Array;
}

/** A union of convexes. */
export interface BspShape {
  /** Dimensions of space. */
  readonly dim: Dim;
  /** The convexes. */
  readonly convexes: readonly Convex[];
  /** Numbers of convexes that are connected with no half-space at all, and are left out. */
  readonly unconnected: readonly number[];
  /**
   * Where the cube that the planes are in lies: meshes and points are given in its space. Default: it is that cube,
   * [-1/2, 1/2]^d.
   */
  readonly frame?: Frame;
}

/** Throws unless it is a shape: a dimension, and convexes of whole half-spaces with finite numbers. */
export function requireShape(owner: string, shape: BspShape): void {
  requireObject(owner, "shape", shape, "a BspShape");
  const { dim, convexes } = shape;
  requireChoice(owner, "dim of the shape", dim, [2, 3]);
  if (!Array.isArray(convexes))
    throw new ValueError(`${owner}: the shape has no convexes; give one of bspShape or fitShape`);
  for (const [place, convex] of (convexes as readonly Convex[]).entries()) {
    const planes = convex?.planes;
    if (!(planes instanceof Float64Array) || planes.length % (dim + 1) !== 0) {
      throw new ShapeError(
        `${owner}: the planes of convex ${place} are no half-spaces; give a Float64Array with ${dim + 1} numbers for each`,
      );
    }
    const bad = planes.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) {
      throw new ValueError(`${owner}: the planes of convex ${place} hold ${planes[bad]}; they must be finite`);
    }
  }
}

/** Options of `bspShape`. */
export interface BspShapeOptions {
  /** A plane belongs to a convex where their connection is larger, > 0. Default 0.01. */
  threshold?: number;
}

/**
 * The shape that planes and connections describe.
 * @param planes Q, `[d + 1, p]` or `[1, d + 1, p]`
 * @param T `[p, c]`
 * @throws ShapeError where shapes do not fit; ValueError for planes that are not finite, or a threshold <= 0: connections
 * may be slightly negative, and all planes would join all convexes.
 */
export function bspShape(planes: TensorLike, T: TensorLike, options: BspShapeOptions = {}): BspShape {
  checkOptions("bspShape", options, ["threshold"]);
  const { threshold = CONNECTED } = options;
  if (!(threshold > 0)) {
    throw new ValueError(`bspShape: threshold is ${threshold}; it must be > 0, as connections may be negative`);
  }
  const given = asTensor(planes);
  const q = given.rank === 3 && given.shape[0] === 1 ? given.reshape(given.shape.slice(1)) : given;
  const t = asTensor(T);
  const [rows, p] = q.shape;
  if (q.rank !== 2 || (rows !== 3 && rows !== 4)) {
    throw new ShapeError(`bspShape: planes have shape [${given.shape}]; give [3, p] in 2D and [4, p] in 3D`);
  }
  if (t.rank !== 2 || t.shape[0] !== p) {
    throw new ShapeError(`bspShape: T has shape [${t.shape}]; for planes [${q.shape}] give [${p}, c]`);
  }
  const coefficients = q.data();
  const bad = coefficients.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0) throw new ValueError(`bspShape: plane ${bad % p} holds ${coefficients[bad]}; planes must be finite`);
  const connections = t.data();
  const missing = connections.findIndex((x) => Number.isNaN(x));
  if (missing >= 0) throw new ValueError("bspShape: T holds NaN; connections must be numbers");
  const c = t.shape[1];
  const convexes: Convex[] = [];
  const unconnected: number[] = [];
  for (let index = 0; index < c; index++) {
    const own: number[] = [];
    for (let j = 0; j < p; j++) {
      if (connections[j * c + index] > threshold) for (let i = 0; i < rows; i++) own.push(coefficients[i * p + j]);
    }
    if (own.length === 0) unconnected.push(index);
    else convexes.push({ index, planes: Float64Array.from(own) });
  }
  return { dim: rows === 3 ? 2 : 3, convexes, unconnected };
}

/** C* of a point: how far it is outside the half-spaces, summed; stops once the sum is above `enough`. */
export function outsideness(planes: Float64Array, x: number, y: number, z: number, dim: Dim, enough: number): number {
  let total = 0;
  if (dim === 3) {
    for (let j = 0; j < planes.length; j += 4) {
      const d = planes[j] * x + planes[j + 1] * y + planes[j + 2] * z + planes[j + 3];
      if (d > 0 && (total += d) > enough) return total;
    }
    return total;
  }
  for (let j = 0; j < planes.length; j += 3) {
    const d = planes[j] * x + planes[j + 1] * y + planes[j + 2];
    if (d > 0 && (total += d) > enough) return total;
  }
  return total;
}

/** Throws unless it is whole points of finite coordinates; gives their number. */
export function requirePoints(owner: string, points: ArrayLike<number>, dim: Dim): number {
  if (points.length % dim !== 0) {
    throw new ShapeError(`${owner}: ${points.length} numbers are no points in ${dim} dimensions`);
  }
  for (let i = 0; i < points.length; i++) {
    if (!Number.isFinite(points[i]))
      throw new ValueError(`${owner}: coordinate ${i} is ${points[i]}; it must be finite`);
  }
  return points.length / dim;
}

/**
 * S* of points: 0 inside, growing outside.
 * @param given `[d n]` coordinates
 */
export function distances(shape: BspShape, given: Float64Array): Float64Array {
  requireShape("distances", shape);
  requireObject("distances", "given", given, "a Float64Array");
  const { dim, convexes, frame } = shape;
  const n = requirePoints("distances", given, dim);
  const points = intoFrame(given, frame);
  const result = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    let least = Infinity;
    for (const { planes } of convexes) {
      const z = dim === 3 ? points[3 * k + 2] : 0;
      least = Math.min(least, outsideness(planes, points[dim * k], points[dim * k + 1], z, dim, least));
      if (least === 0) break;
    }
    result[k] = least;
  }
  return result;
}

/**
 * Which points are inside the shape: 1 inside and on the surface, 0 outside.
 * @param points `[d n]` coordinates
 */
export function contains(shape: BspShape, points: Float64Array): Uint8Array {
  requireShape("contains", shape);
  requireObject("contains", "points", points, "a Float64Array");
  return Uint8Array.from(distances(shape, points), (s) => (s === 0 ? 1 : 0));
}
