import type { ExactPlanes, Side } from "./exact-planes.js";

/** A convex polygon on a plane. */
export interface Facet {
  /** The plane it lies on, and to which side its outside is: the solid is on the other one. */
  readonly side: Side;
  /** Number of the solid that it bounds. */
  readonly solid: number;
  /** Vertices, counter-clockwise as seen from outside. */
  readonly vertices: readonly number[];
  /** Planes that meet the facet's in the edges, from each vertex to the next. */
  readonly edges: readonly number[];
  /** Lowest and highest coordinates, somewhat wider. */
  readonly box: Box;
}

/** Lowest and highest coordinates along each axis. */
export interface Box {
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** Boxes are wider by this, so that what touches is not apart. */
const MARGIN = 1e-8;

function boxOf(planes: ExactPlanes, vertices: readonly number[]): Box {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (const v of vertices) {
    const place = planes.nearby(v);
    for (let axis = 0; axis < 3; axis++) {
      low[axis] = Math.min(low[axis], place[axis] - MARGIN);
      high[axis] = Math.max(high[axis], place[axis] + MARGIN);
    }
  }
  return { low, high };
}

/** The box around boxes. */
export function boxAround(boxes: readonly Box[]): Box {
  const axes = [0, 1, 2];
  return {
    low: axes.map((axis) => boxes.reduce((least, { low }) => Math.min(least, low[axis]), Infinity)),
    high: axes.map((axis) => boxes.reduce((most, { high }) => Math.max(most, high[axis]), -Infinity)),
  };
}

/** Whether boxes have no point in common. */
export function apart(a: Box, b: Box): boolean {
  for (let axis = 0; axis < 3; axis++) if (a.low[axis] > b.high[axis] || b.low[axis] > a.high[axis]) return true;
  return false;
}

/** A facet, with its box. */
export function facet(planes: ExactPlanes, parts: Omit<Facet, "box">): Facet {
  return { ...parts, box: boxOf(planes, parts.vertices) };
}

/** The parts of a facet on either side of a half-space's plane; both null where the facet lies in it. */
export interface Split {
  /** In the half-space. */
  readonly inner: Facet | null;
  /** Beyond it. */
  readonly outer: Facet | null;
}

/** Where a facet's vertices are: -1 in the half-space, 0 on its plane, 1 beyond. */
export function sidesOf(planes: ExactPlanes, { vertices }: Facet, { plane, sign }: Side): number[] {
  return vertices.map((v) => sign * planes.side(plane, v));
}

/** Cuts a facet in two. */
export function splitFacet(planes: ExactPlanes, given: Facet, halfspace: Side): Split {
  const sides = sidesOf(planes, given, halfspace);
  const [anyIn, anyOut] = [sides.includes(-1), sides.includes(1)];
  if (!anyIn || !anyOut) return { inner: anyIn ? given : null, outer: anyOut ? given : null };
  const part = (out: number) => partOf(planes, given, halfspace.plane, sides, out);
  return { inner: part(1), outer: part(-1) };
}

/** What is left of a facet without the vertices whose side is `out`. */
function partOf(planes: ExactPlanes, given: Facet, cut: number, sides: readonly number[], out: number): Facet {
  const vertices: number[] = [];
  const edges: number[] = [];
  given.vertices.forEach((v, k) => {
    const [from, to] = [sides[k], sides[(k + 1) % sides.length]];
    const edge = given.edges[k];
    if (from !== out) {
      vertices.push(v);
      // From a vertex on the cut outwards, the boundary goes on along the cut.
      edges.push(from === 0 && to === out ? cut : edge);
    }
    if (from * to < 0) {
      vertices.push(planes.vertex(given.side.plane, edge, cut));
      edges.push(to === out ? cut : edge);
    }
  });
  return facet(planes, { side: given.side, solid: given.solid, vertices, edges });
}
