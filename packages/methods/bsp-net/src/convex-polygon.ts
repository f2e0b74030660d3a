import { checkOptions, requireObject } from "@offprint/tensor-core";
import {
  type IntersectionOptions,
  normalizedHalfspaces,
  ON_PLANE,
  requireBounds,
  smallUnit,
} from "./convex-polyhedron.js";

/** A convex polygon, counter-clockwise. */
export interface ConvexPolygon {
  /** `[2 vertices]` coordinates; empty for no points. */
  readonly vertices: Float64Array;
  /** Per edge (from its vertex to the next), the line it lies on; -1 to -4 for the sides of the bounding square. */
  readonly lineOfEdge: Int32Array;
}

/**
 * The polygon of the points with `a x + b y + c <= 0` for every half-plane, cut to a square. As `intersectHalfspaces`.
 * @param lines `[3 m]`: a, b, c of each half-plane
 * @throws ShapeError unless there are three numbers per half-plane; ValueError for numbers that are not finite.
 */
export function intersectHalfplanes(lines: Float64Array, options: IntersectionOptions = {}): ConvexPolygon {
  requireObject("intersectHalfplanes", "lines", lines, "a Float64Array");
  checkOptions("intersectHalfplanes", options, ["bounds"]);
  const { bounds: r = 1 } = options;
  requireBounds("intersectHalfplanes", r);
  const onPlane = smallUnit(r) * ON_PLANE;
  let points = [-r, -r, r, -r, r, r, -r, r];
  let edges = [-1, -2, -3, -4];
  for (const [a, b, c, index] of normalizedHalfspaces("intersectHalfplanes", lines, 3)) {
    const n = edges.length;
    const distance = edges.map((_, v) => a * points[2 * v] + b * points[2 * v + 1] + c);
    if (!distance.some((d) => d > onPlane)) continue;
    if (!distance.some((d) => d < -onPlane)) return { vertices: new Float64Array(0), lineOfEdge: new Int32Array(0) };
    const nextPoints: number[] = [];
    const nextEdges: number[] = [];
    for (let v = 0; v < n; v++) {
      const w = (v + 1) % n;
      const [from, to] = [distance[v], distance[w]];
      if (from <= onPlane) {
        nextPoints.push(points[2 * v], points[2 * v + 1]);
        // From a vertex on the line outwards, the boundary goes on along the line.
        nextEdges.push(from >= -onPlane && to > onPlane ? index : edges[v]);
      }
      if ((from < -onPlane && to > onPlane) || (from > onPlane && to < -onPlane)) {
        const t = from / (from - to);
        for (let i = 0; i < 2; i++) nextPoints.push(points[2 * v + i] + t * (points[2 * w + i] - points[2 * v + i]));
        nextEdges.push(from < 0 ? index : edges[v]);
      }
    }
    points = nextPoints;
    edges = nextEdges;
  }
  return { vertices: Float64Array.from(points), lineOfEdge: Int32Array.from(edges) };
}

/** Area of a polygon, positive when counter-clockwise. */
export function polygonArea(vertices: ArrayLike<number>): number {
  requireObject("polygonArea", "vertices", vertices, "an array of numbers");
  const n = vertices.length / 2;
  let twice = 0;
  for (let v = 0; v < n; v++) {
    const w = (v + 1) % n;
    twice += vertices[2 * v] * vertices[2 * w + 1] - vertices[2 * w] * vertices[2 * v + 1];
  }
  return twice / 2;
}
