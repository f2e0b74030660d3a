import type { ExactPlanes, Side } from "./exact-planes.js";
import { apart, type Box, boxAround, type Facet, facet, sidesOf, splitFacet } from "./facet.js";

/** A convex polyhedron as its facets, each with a half-space. */
export interface Solid {
  /** Number of the convex. */
  readonly number: number;
  readonly facets: readonly Facet[];
  readonly box: Box;
}

/** The sides of the cube [-bounds, bounds]^3: two per axis, the upper one first. */
export function cubeSides(planes: ExactPlanes, bounds: number): Side[] {
  return [0, 1, 2].flatMap((axis) =>
    [1, -1].map((sign) => planes.halfspace([0, 1, 2, 3].map((i) => (i === axis ? sign : i === 3 ? -bounds : 0)))),
  );
}

/** A square on a plane that holds all of the plane within the cube but for what its two sides along one axis cut off. */
function squareOn(planes: ExactPlanes, side: Side, cube: readonly Side[], solid: number): Facet {
  const normal = planes.coefficients(side.plane).slice(0, 3);
  const sizes = normal.map(Math.abs);
  const axis = sizes.indexOf(Math.max(...sizes));
  const [b, c] = [(axis + 1) % 3, (axis + 2) % 3];
  const [rightB, leftB, rightC, leftC] = [cube[2 * b], cube[2 * b + 1], cube[2 * c], cube[2 * c + 1]].map(
    ({ plane }) => plane,
  );
  const vertices = [
    [leftB, leftC],
    [rightB, leftC],
    [rightB, rightC],
    [leftB, rightC],
  ].map(([p, q]) => planes.vertex(side.plane, p, q));
  const edges = [leftC, rightB, rightC, leftB];
  if (normal[axis] * side.sign < 0) {
    vertices.reverse();
    edges.splice(0, 4, rightC, rightB, leftC, leftB);
  }
  return facet(planes, { side, solid, vertices, edges });
}

/**
 * The polyhedron inside half-spaces and the cube; null where it has no interior.
 * @param number of the convex
 */
export function solidOf(
  planes: ExactPlanes,
  halfspaces: readonly Side[],
  cube: readonly Side[],
  number: number,
): Solid | null {
  const distinct = new Map<number, Side>();
  for (const side of [...halfspaces, ...cube]) {
    const other = distinct.get(side.plane);
    if (other !== undefined && other.sign !== side.sign) return null;
    distinct.set(side.plane, side);
  }
  const all = [...distinct.values()];
  const facets = all.flatMap((side) => {
    let rest: Facet | null = squareOn(planes, side, cube, number);
    for (const other of all) {
      if (other.plane !== side.plane && rest !== null) rest = splitFacet(planes, rest, other).inner;
    }
    return rest === null ? [] : [rest];
  });
  if (facets.length < 4) return null;
  return { number, facets, box: boxAround(facets.map(({ box }) => box)) };
}

/** Whether a solid lies in another one. */
function within(planes: ExactPlanes, solid: Solid, other: Solid): boolean {
  if (apart(solid.box, other.box)) return false;
  return other.facets.every(({ side }) => solid.facets.every((facet) => !sidesOf(planes, facet, side).includes(1)));
}

/** Solids without those that lie in another one; of equal ones the first stays. */
export function outermost(planes: ExactPlanes, solids: readonly Solid[]): Solid[] {
  return solids.filter((solid, i) =>
    solids.every((other, j) => {
      if (i === j || !within(planes, solid, other)) return true;
      return i < j && within(planes, other, solid);
    }),
  );
}

/**
 * The parts of a facet that are not inside a solid. Where it lies in a facet of the solid, the side decides: facing the
 * same way it is kept once, by the solid that comes first; facing each other, neither is on the boundary.
 */
export function outsideOf(planes: ExactPlanes, given: Facet, solid: Solid, solidIsFirst: boolean): Facet[] {
  if (apart(given.box, solid.box)) return [given];
  const cutting: Side[] = [];
  for (const { side } of solid.facets) {
    if (side.plane === given.side.plane) {
      if (side.sign === given.side.sign && !solidIsFirst) return [given];
      continue;
    }
    const sides = sidesOf(planes, given, side);
    if (!sides.includes(-1)) return [given];
    if (sides.includes(1)) cutting.push(side);
  }
  const outside: Facet[] = [];
  let rest = given;
  for (const side of cutting) {
    const { inner, outer } = splitFacet(planes, rest, side);
    if (inner === null) return [given];
    if (outer !== null) outside.push(outer);
    rest = inner;
  }
  return outside;
}
