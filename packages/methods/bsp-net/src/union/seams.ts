import { PointGrid } from "../point-grid.js";
import type { ExactPlanes } from "./exact-planes.js";
import type { Facet } from "./facet.js";

/** A facet as a loop in which every vertex on its edges is a corner. */
export interface Loop {
  readonly facet: Facet;
  readonly vertices: number[];
  /** The plane that meets the facet's from each vertex to the next. */
  readonly edges: number[];
}

/** Places of one point differ by less, whichever planes it was found from. */
const SAME_PLACE = 1e-9;

/** For each vertex that facets use, the one that stands for its point. */
function representatives(planes: ExactPlanes, facets: readonly Facet[]): Map<number, number> {
  const grid = new PointGrid(SAME_PLACE);
  const result = new Map<number, number>();
  for (const { vertices } of facets) {
    for (const v of vertices) {
      if (result.has(v)) continue;
      const place = planes.place(v);
      let same: number | undefined;
      for (const u of grid.near(place)) {
        if (planes.same(u, v)) {
          same = u;
          break;
        }
      }
      if (same === undefined) grid.add(place, v);
      result.set(v, same ?? v);
    }
  }
  return result;
}

/** The vertices strictly between two on a line, in order. */
function between(planes: ExactPlanes, from: number, to: number, onLine: readonly number[]): number[] {
  const [a, b] = [planes.place(from), planes.place(to)];
  const gaps = [0, 1, 2].map((axis) => Math.abs(b[axis] - a[axis]));
  let axis = gaps.indexOf(Math.max(...gaps));
  if (planes.compare(axis, from, to) === 0) axis = [0, 1, 2].findIndex((i) => planes.compare(i, from, to) !== 0);
  const direction = planes.compare(axis, to, from);
  return onLine
    .filter((v) => planes.compare(axis, v, from) === direction && planes.compare(axis, to, v) === direction)
    .sort((u, v) => direction * planes.compare(axis, u, v));
}

/** Puts the vertices of all facets into the edges that they lie on, so that neighbours have the same edges. */
export function seamed(planes: ExactPlanes, facets: readonly Facet[]): Loop[] {
  const representative = representatives(planes, facets);
  const points = [...new Set(representative.values())];
  const pointsOn = new Map<number, number[]>();
  const onPlane = (plane: number): number[] => {
    let own = pointsOn.get(plane);
    if (own === undefined) {
      own = points.filter((v) => planes.side(plane, v) === 0);
      pointsOn.set(plane, own);
    }
    return own;
  };
  return facets.map((facet) => {
    const corners = facet.vertices.map((v) => representative.get(v) as number);
    const candidates = onPlane(facet.side.plane);
    const vertices: number[] = [];
    const edges: number[] = [];
    corners.forEach((from, k) => {
      const edge = facet.edges[k];
      const onLine = candidates.filter((v) => planes.side(edge, v) === 0);
      const chain = [from, ...between(planes, from, corners[(k + 1) % corners.length], onLine)];
      vertices.push(...chain);
      edges.push(...chain.map(() => edge));
    });
    return { facet, vertices, edges };
  });
}
