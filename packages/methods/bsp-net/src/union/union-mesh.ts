import { normalizedHalfspaces } from "../convex-polyhedron.js";
import type { PolyMesh } from "../poly-mesh.js";
import type { Convex } from "../shape.js";
import { ExactPlanes, type Side } from "./exact-planes.js";
import { apart } from "./facet.js";
import { manifold } from "./manifold.js";
import { mergedLoops } from "./merge-loops.js";
import { type Loop, seamed } from "./seams.js";
import { withoutShortEdges } from "./short-edges.js";
import { cubeSides, outermost, outsideOf, type Solid, solidOf } from "./solid.js";

/** Edges shorter than this, for bounds of 1, are joined. */
const SHORTEST_EDGE = 1e-9;

/** Half-spaces that cut the cube; null where one of them leaves nothing of it. */
function cuttingHalfspaces(halfspaces: readonly Float64Array[], bounds: number): Float64Array[] | null {
  const cutting: Float64Array[] = [];
  for (const plane of halfspaces) {
    const reach = bounds * (Math.abs(plane[0]) + Math.abs(plane[1]) + Math.abs(plane[2]));
    if (plane[3] >= reach) return null;
    if (plane[3] > -reach) cutting.push(plane);
  }
  return cutting;
}

/**
 * The mesh of the union of convexes, cut to a cube: one watertight surface, on which every edge has exactly two faces, in
 * opposite directions. Faces inside other convexes are cut away, of faces that lie in one another one stays, and what
 * two convexes touch in is no boundary. Faces are convex and keep the number of the convex that they come from.
 *
 * Planes decide everything and are not rounded: faces are cut by planes only, and which side of a plane a corner is on is
 * computed exactly, so that parts fit however the convexes lie. Planes within 1e-9 of each other count as one.
 * @see Bernstein and Fussell, Fast, exact, linear Booleans, Computer Graphics Forum 28 (2009)
 */
export function unionMesh(convexes: readonly Convex[], bounds: number): PolyMesh {
  const planes = new ExactPlanes();
  const cube = cubeSides(planes, bounds);
  const all = convexes.flatMap(({ index, planes: rows }): Solid[] => {
    const cutting = cuttingHalfspaces(normalizedHalfspaces("unionMesh", rows, 4), bounds);
    const sides = cutting?.map((plane): Side => planes.halfspace(plane));
    const solid = sides === undefined ? null : solidOf(planes, sides, cube, index);
    return solid === null ? [] : [solid];
  });
  const solids = outermost(planes, all);
  const parts = solids.flatMap((own, i) =>
    own.facets.map((facet) => {
      let pieces = [facet];
      solids.forEach((other, j) => {
        if (i === j || apart(facet.box, other.box)) return;
        pieces = pieces.flatMap((piece) => outsideOf(planes, piece, other, j < i));
      });
      return pieces;
    }),
  );
  const loops = mergedLoops(planes, grouped(parts, seamed(planes, parts.flat())));
  const surface = manifold({
    loops: loops.map(({ vertices }) => vertices),
    normals: loops.map(({ facet: { side } }) =>
      planes
        .coefficients(side.plane)
        .slice(0, 3)
        .map((x) => side.sign * x),
    ),
    place: (point) => planes.place(point),
  });
  return packed(withoutShortEdges(surface, SHORTEST_EDGE * bounds), loops);
}

/** The loops in groups, as the facets were. */
function grouped(groups: readonly (readonly unknown[])[], loops: readonly Loop[]): Loop[][] {
  let next = 0;
  return groups.map(({ length }) => {
    next += length;
    return loops.slice(next - length, next);
  });
}

function packed({ loops, places }: ReturnType<typeof withoutShortEdges>, sources: readonly Loop[]): PolyMesh {
  const kept = loops.flatMap((loop, f) => (loop.length < 3 ? [] : [f]));
  const numbers = new Map<number, number>();
  const faces = kept.map((f) =>
    loops[f].map((v) => {
      const known = numbers.get(v);
      if (known !== undefined) return known;
      numbers.set(v, numbers.size);
      return numbers.size - 1;
    }),
  );
  return {
    vertices: Float64Array.from([...numbers.keys()].flatMap((v) => [...places[v]])),
    faces,
    convexOfFace: Int32Array.from(kept, (f) => sources[f].facet.solid),
  };
}
