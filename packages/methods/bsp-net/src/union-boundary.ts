import { ON_PLANE } from "./convex-polyhedron.js";
import { forEachTriangle, type PolyMesh, triangleNormal } from "./poly-mesh.js";
import { type SpacePolygon, splitPolygon } from "./polygon-split.js";

/** A convex of a mesh: its planes and its extent. */
interface Region {
  readonly convex: number;
  readonly planes: readonly (readonly [number, number, number, number])[];
  readonly low: readonly number[];
  readonly high: readonly number[];
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

function regions(polygons: readonly SpacePolygon[]): Region[] {
  const byConvex = new Map<number, SpacePolygon[]>();
  for (const polygon of polygons) byConvex.set(polygon.convex, [...(byConvex.get(polygon.convex) ?? []), polygon]);
  return [...byConvex].map(([convex, own]) => {
    const along = (axis: number) => own.flatMap(({ points }) => points.filter((_, i) => i % 3 === axis));
    const axes = [0, 1, 2];
    return {
      convex,
      planes: own.map(({ plane }) => plane),
      low: axes.map((axis) => Math.min(...along(axis))),
      high: axes.map((axis) => Math.max(...along(axis))),
    };
  });
}

function apart({ points }: SpacePolygon, { low, high }: Region): boolean {
  return [0, 1, 2].some((axis) => {
    const values = points.filter((_, i) => i % 3 === axis);
    return Math.min(...values) > high[axis] + ON_PLANE || Math.max(...values) < low[axis] - ON_PLANE;
  });
}

/**
 * The parts of a polygon that are not inside a convex. Where the polygon lies in a face of the convex, the side decides:
 * facing the same way it is kept once, by the convex that comes first; facing each other, neither is on the boundary.
 */
function outsideOf(polygon: SpacePolygon, region: Region, regionIsFirst: boolean): SpacePolygon[] {
  if (apart(polygon, region)) return [polygon];
  const outside: SpacePolygon[] = [];
  let rest: SpacePolygon | null = polygon;
  for (const plane of region.planes) {
    const { inner, outer } = splitPolygon(rest, plane);
    if (inner === null && outer === null) {
      const sameWay = plane[0] * rest.plane[0] + plane[1] * rest.plane[1] + plane[2] * rest.plane[2] > 0;
      if (sameWay && !regionIsFirst) return [polygon];
      continue;
    }
    if (outer !== null) outside.push(outer);
    if (inner === null) return [polygon];
    rest = inner;
  }
  return outside;
}

/**
 * The boundary of the union of a mesh's convexes: faces without their parts inside other convexes. Faces are cut into
 * convex polygons with vertices of their own, so that neighbours may meet along parts of edges.
 */
export function unionBoundary(mesh: PolyMesh): PolyMesh {
  const polygons = facePolygons(mesh);
  const convexes = regions(polygons);
  const order = new Map(convexes.map(({ convex }, i) => [convex, i]));
  const kept = polygons.flatMap((polygon) => {
    const own = order.get(polygon.convex) as number;
    return convexes.reduce<SpacePolygon[]>(
      (parts, region, i) => (i === own ? parts : parts.flatMap((part) => outsideOf(part, region, i < own))),
      [polygon],
    );
  });
  return meshOfPolygons(kept);
}

/** A mesh of polygons that share no vertices. */
function meshOfPolygons(polygons: readonly SpacePolygon[]): PolyMesh {
  let next = 0;
  const faces = polygons.map(({ points }) => Array.from({ length: points.length / 3 }, () => next++));
  return {
    vertices: Float64Array.from(polygons.flatMap(({ points }) => points)),
    faces,
    convexOfFace: Int32Array.from(polygons, ({ convex }) => convex),
  };
}
