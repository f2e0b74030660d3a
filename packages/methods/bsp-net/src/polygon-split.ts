import { ON_PLANE } from "./convex-polyhedron.js";
import { forEachTriangle, type PolyMesh, triangleNormal } from "./poly-mesh.js";

/** A plane polygon in space with its outward unit normal. */
export interface SpacePolygon {
  /** Coordinates, three per vertex, counter-clockwise as seen along the normal towards the viewer. */
  readonly points: readonly number[];
  /** `[a, b, c, d]` with unit normal: `a x + b y + c z + d = 0` on the polygon, > 0 on its outer side. */
  readonly plane: readonly [number, number, number, number];
  /** Number of the convex that it came from. */
  readonly convex: number;
}

/** The parts of a polygon on either side of a plane; both null where it lies in the plane. */
export interface SplitPolygon {
  /** Where the plane's distance is negative. */
  readonly inner: SpacePolygon | null;
  /** Where it is positive. */
  readonly outer: SpacePolygon | null;
}

/** Cuts a convex polygon along a plane with unit normal. */
export function splitPolygon(polygon: SpacePolygon, plane: ArrayLike<number>): SplitPolygon {
  const { points } = polygon;
  const n = points.length / 3;
  const distance: number[] = [];
  let [anyIn, anyOut] = [false, false];
  for (let v = 0; v < n; v++) {
    const d = plane[0] * points[3 * v] + plane[1] * points[3 * v + 1] + plane[2] * points[3 * v + 2] + plane[3];
    distance.push(d);
    anyIn ||= d < -ON_PLANE;
    anyOut ||= d > ON_PLANE;
  }
  if (!anyIn && !anyOut) return { inner: null, outer: null };
  if (!anyOut) return { inner: polygon, outer: null };
  if (!anyIn) return { inner: null, outer: polygon };
  const inner: number[] = [];
  const outer: number[] = [];
  for (let v = 0; v < n; v++) {
    const w = (v + 1) % n;
    const corner = points.slice(3 * v, 3 * v + 3);
    if (distance[v] <= ON_PLANE) inner.push(...corner);
    if (distance[v] >= -ON_PLANE) outer.push(...corner);
    const [from, to] = [distance[v], distance[w]];
    if (!((from < -ON_PLANE && to > ON_PLANE) || (from > ON_PLANE && to < -ON_PLANE))) continue;
    const t = from / (from - to);
    const cut = corner.map((x, i) => x + t * (points[3 * w + i] - x));
    inner.push(...cut);
    outer.push(...cut);
  }
  return { inner: { ...polygon, points: inner }, outer: { ...polygon, points: outer } };
}

/** The faces of a mesh as polygons with planes; faces without an area are left out. */
export function facePolygons(mesh: PolyMesh): SpacePolygon[] {
  const { vertices: p } = mesh;
  // Newell: the sum over a fan is exact for plane polygons and steady for slivers.
  const normals = new Float64Array(3 * mesh.faces.length);
  forEachTriangle(mesh, (a, b, c, face) => {
    triangleNormal(p, a, b, c).forEach((x, i) => {
      normals[3 * face + i] += x;
    });
  });
  return mesh.faces.flatMap((loop, f) => {
    const [x, y, z] = normals.subarray(3 * f, 3 * f + 3);
    const length = Math.hypot(x, y, z);
    if (length < 1e-18) return [];
    const normal = [x / length, y / length, z / length];
    const points = loop.flatMap((v) => [...p.subarray(3 * v, 3 * v + 3)]);
    let offset = 0;
    for (let i = 0; i < points.length; i++) offset -= (normal[i % 3] * points[i]) / loop.length;
    return [{ points, plane: [normal[0], normal[1], normal[2], offset], convex: mesh.convexOfFace[f] }];
  });
}
