import {
  checkOptions,
  type random,
  requireInteger,
  requireObject,
  requirePositive,
  ShapeError,
  ValueError,
} from "@offprint/tensor-core";
import { forEachTriangle, type PolyMesh, triangleNormal } from "./poly-mesh.js";
import { type BspShape, contains, requirePoints } from "./shape.js";

/** Points on a surface. */
export interface SurfacePoints {
  /** `[3 n]` coordinates. */
  readonly points: Float64Array;
  /** `[3 n]` unit normals, outward. */
  readonly normals: Float64Array;
}

/** Options of `sampleSurface`. */
export interface SampleOptions {
  /** Points whose outer side is inside this shape, those on interior faces, are drawn again. Default none. */
  shape?: BspShape;
}

/** How far outside a face a point is looked at, in a cube of 1, to tell interior faces. */
const LOOK = 1e-4;

/** Draws of points beyond which a surface is taken to have no outer side. */
const MOST_ROUNDS = 200;

/**
 * Points drawn uniformly by area, with the normals of their faces.
 * @throws ValueError for a mesh without an area, or where the shape covers all of its faces.
 */
export function sampleSurface(
  mesh: PolyMesh,
  count: number,
  rng: random.Rng,
  options: SampleOptions = {},
): SurfacePoints {
  checkOptions("sampleSurface", options, ["shape"]);
  requireInteger("sampleSurface", "count", count, 1);
  requireObject("sampleSurface", "mesh", mesh, "a PolyMesh");
  requireObject("sampleSurface", "rng", rng, "a generator, random.rng(seed)");
  const corners: number[] = [];
  const areas: number[] = [];
  forEachTriangle(mesh, (a, b, c) => {
    corners.push(a, b, c);
    areas.push(Math.hypot(...triangleNormal(mesh.vertices, a, b, c)));
  });
  if (!(areas.reduce((a, b) => a + b, 0) > 0)) throw new ValueError("sampleSurface: the mesh has no area");
  const points = new Float64Array(3 * count);
  const normals = new Float64Array(3 * count);
  let done = 0;
  for (let round = 0; done < count; round++) {
    if (round === MOST_ROUNDS)
      throw new ValueError("sampleSurface: hardly a face of the mesh has its outer side outside");
    const chosen = rng.choice(areas.length, { shape: [count], weights: areas }).data();
    const u = rng.uniform([count, 2], { dtype: "float64" }).data();
    for (let i = 0; i < count && done < count; i++) {
      placePoint(mesh, corners, chosen[i], u[2 * i], u[2 * i + 1], points, normals, done);
      if (options.shape === undefined || !covered(options.shape, points, normals, done)) done++;
    }
  }
  return { points, normals };
}

function placePoint(
  { vertices: p }: PolyMesh,
  corners: readonly number[],
  triangle: number,
  u: number,
  v: number,
  points: Float64Array,
  normals: Float64Array,
  place: number,
): void {
  const [a, b, c] = corners.slice(3 * triangle, 3 * triangle + 3);
  const normal = triangleNormal(p, a, b, c);
  const length = Math.hypot(...normal);
  // The root makes points uniform on the triangle.
  const [s, t] = [1 - Math.sqrt(u), Math.sqrt(u) * v];
  for (let i = 0; i < 3; i++) {
    points[3 * place + i] = p[3 * a + i] * s + p[3 * b + i] * (1 - s - t) + p[3 * c + i] * t;
    normals[3 * place + i] = normal[i] / length;
  }
}

function covered(shape: BspShape, points: Float64Array, normals: Float64Array, place: number): boolean {
  const look = LOOK * (shape.frame?.size ?? 1);
  const before = Float64Array.from({ length: 3 }, (_, i) => points[3 * place + i] + look * normals[3 * place + i]);
  return contains(shape, before)[0] === 1;
}

/** A power of two that all coordinates are below twice of: squares in this unit neither overflow nor vanish. */
function unitOf(...sets: readonly Float64Array[]): number {
  let most = 0;
  for (const points of sets) for (const x of points) most = Math.max(most, Math.abs(x));
  return most === 0 ? 1 : 2 ** Math.floor(Math.log2(most));
}

/** For each point of `from`, the nearest of `to` and the squared distance to it. */
function nearest(from: Float64Array, to: Float64Array): { index: Int32Array; squared: Float64Array } {
  const n = from.length / 3;
  const index = new Int32Array(n);
  const squared = new Float64Array(n).fill(Infinity);
  for (let i = 0; i < n; i++) {
    const [x, y, z] = [from[3 * i], from[3 * i + 1], from[3 * i + 2]];
    let [best, least] = [0, Infinity];
    for (let j = 0; j < to.length; j += 3) {
      const d = (x - to[j]) ** 2 + (y - to[j + 1]) ** 2 + (z - to[j + 2]) ** 2;
      if (d < least) {
        least = d;
        best = j / 3;
      }
    }
    index[i] = best;
    squared[i] = least;
  }
  return { index, squared };
}

function mean(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i];
  return total / values.length;
}

function requireSome(owner: string, ...sets: readonly Float64Array[]): void {
  for (const points of sets) {
    if (points.length === 0 || points.length % 3 !== 0) {
      throw new ShapeError(`${owner}: ${points.length} numbers are no points; give three per point, and at least one`);
    }
    requirePoints(owner, points, 3);
  }
}

/** Throws unless every point has a finite normal. */
function requireNormals(owner: string, { points, normals }: SurfacePoints): void {
  requireSome(owner, points);
  if (normals?.length !== points.length) {
    throw new ShapeError(
      `${owner}: ${normals?.length} numbers of normals for ${points.length} of points; give as many`,
    );
  }
  requirePoints(`${owner}: normals`, normals, 3);
}

/** What numbers of float64 begin with that have all their digits. */
const LEAST_NORMAL = 2 ** -1022;

/**
 * Chamfer distance: the mean squared distance to the nearest point of the other set, both ways added.
 * @param a `[3 n]` @param b `[3 m]`
 * @throws ValueError for points so far apart, or so near, that the square is no number of float64.
 */
export function chamferDistance(a: Float64Array, b: Float64Array): number {
  requireObject("chamferDistance", "a", a, "a Float64Array");
  requireObject("chamferDistance", "b", b, "a Float64Array");
  requireSome("chamferDistance", a, b);
  const unit = unitOf(a, b);
  const [first, second] = [a, b].map((points) => points.map((x) => x / unit));
  const scaled = mean(nearest(first, second).squared) + mean(nearest(second, first).squared);
  const distance = scaled * unit * unit;
  if (scaled === 0 || (distance >= LEAST_NORMAL && distance < Infinity)) return distance;
  throw new ValueError(
    `chamferDistance: the distances of a and b are about ${Math.sqrt(scaled) * unit}, and the squares of them no numbers of float64; scale both`,
  );
}

/** Mean |cosine| between the normals of points and those of the nearest points of the other set, both ways averaged. */
export function normalConsistency(a: SurfacePoints, b: SurfacePoints): number {
  requireObject("normalConsistency", "a", a, "SurfacePoints");
  requireObject("normalConsistency", "b", b, "SurfacePoints");
  for (const surface of [a, b]) requireNormals("normalConsistency", surface);
  const unit = unitOf(a.points, b.points);
  const oneWay = (from: SurfacePoints, to: SurfacePoints) => {
    const [first, second] = [from, to].map(({ points }) => points.map((x) => x / unit));
    const { index } = nearest(first, second);
    return mean(
      Float64Array.from(index, (j, i) => {
        let cosine = 0;
        for (let k = 0; k < 3; k++) cosine += from.normals[3 * i + k] * to.normals[3 * j + k];
        return Math.abs(cosine);
      }),
    );
  };
  return (oneWay(a, b) + oneWay(b, a)) / 2;
}

/** Options of `edgePoints` and `edgeChamferDistance`. */
export interface EdgeOptions {
  /** Radius of neighbourhoods, > 0. Default 0.01. */
  radius?: number;
  /** A point is at an edge where a neighbour's normal has a |cosine| below this with its own. Default 0.1. */
  sigma?: number;
}

/** Points near sharp edges: those with a neighbour whose normal is about at right angles to theirs. `[3 m]` */
export function edgePoints({ points: given, normals }: SurfacePoints, options: EdgeOptions = {}): Float64Array {
  const { radius = 0.01, sigma = 0.1 } = options;
  requirePositive("edgePoints", "radius", radius);
  requirePositive("edgePoints", "sigma", sigma);
  const found: number[] = [];
  const unit = unitOf(given);
  const points = given.map((x) => x / unit);
  const reach = (radius / unit) ** 2;
  for (let i = 0; i < points.length; i += 3) {
    for (let j = 0; j < points.length; j += 3) {
      const [x, y, z] = [points[i] - points[j], points[i + 1] - points[j + 1], points[i + 2] - points[j + 2]];
      if (x * x + y * y + z * z > reach) continue;
      const cosine = normals[i] * normals[j] + normals[i + 1] * normals[j + 1] + normals[i + 2] * normals[j + 2];
      if (Math.abs(cosine) >= sigma) continue;
      found.push(given[i], given[i + 1], given[i + 2]);
      break;
    }
  }
  return Float64Array.from(found);
}

/**
 * Chamfer distance between the points near sharp edges of two surfaces.
 * @throws ValueError where one of them has no such points; draw more points, or give a larger radius.
 */
export function edgeChamferDistance(a: SurfacePoints, b: SurfacePoints, options: EdgeOptions = {}): number {
  requireObject("edgeChamferDistance", "a", a, "SurfacePoints");
  requireObject("edgeChamferDistance", "b", b, "SurfacePoints");
  checkOptions("edgeChamferDistance", options, ["radius", "sigma"]);
  for (const surface of [a, b]) requireNormals("edgeChamferDistance", surface);
  const edges = [edgePoints(a, options), edgePoints(b, options)];
  edges.forEach((points, i) => {
    if (points.length > 0) return;
    throw new ValueError(`edgeChamferDistance: surface ${i} has no points near edges; draw more, or widen the radius`);
  });
  return chamferDistance(edges[0], edges[1]);
}

/**
 * Intersection over union of two sets of points or cells; 1 for two empty ones.
 * @param a 1 or true inside @param b as `a`
 */
export function iou(a: ArrayLike<number | boolean>, b: ArrayLike<number | boolean>): number {
  requireObject("iou", "a", a, "an array");
  requireObject("iou", "b", b, "an array");
  if (a.length !== b.length) throw new ShapeError(`iou: ${a.length} and ${b.length} cells; give as many of both`);
  let [both, either] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    if (a[i] && b[i]) both++;
    if (a[i] || b[i]) either++;
  }
  return either === 0 ? 1 : both / either;
}
