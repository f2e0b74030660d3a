import { ConvergenceError } from "@offprint/tensor-core";

/** Oriented polygons around solids, as loops of points. */
export interface Polygons {
  /** Points of each polygon, counter-clockwise as seen from outside. */
  readonly loops: readonly (readonly number[])[];
  /** Outward normal of each. */
  readonly normals: readonly (readonly number[])[];
  /** Coordinates of a point. */
  place(point: number): readonly [number, number, number];
}

/** A surface: loops of vertices, and where these are. */
export interface Surface {
  readonly loops: number[][];
  readonly places: (readonly [number, number, number])[];
}

/** An edge of a polygon. */
interface Edge {
  readonly polygon: number;
  /** Place of its first corner in the loop. */
  readonly corner: number;
  /** Whether it goes from the smaller to the larger point. */
  readonly upward: boolean;
}

const minus = (a: readonly number[], b: readonly number[]) => a.map((x, i) => x - b[i]);
const dot = (a: readonly number[], b: readonly number[]) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a: readonly number[], b: readonly number[]) => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

/** The edges between two points in pairs that bound the same piece of the solid. */
function paired({ normals, place }: Polygons, [from, to]: readonly [number, number], edges: readonly Edge[]) {
  const upward = edges.filter((edge) => edge.upward);
  const downward = edges.filter((edge) => !edge.upward);
  if (upward.length !== downward.length) {
    throw new ConvergenceError("unionMesh: the convexes' faces don't fit together; please report their planes");
  }
  if (upward.length === 1) return [[upward[0], downward[0]]] as const;
  const direction = minus(place(to), place(from));
  // Into each polygon, at right angles to the edge.
  const inward = (edge: Edge) => cross(normals[edge.polygon], edge.upward ? direction : direction.map((x) => -x));
  const zero = inward(edges[0]);
  const quarter = cross(direction, zero);
  const scale = Math.hypot(...direction);
  const angleOf = (edge: Edge) => Math.atan2(dot(inward(edge), quarter) / scale, dot(inward(edge), zero));
  // The solid lies, turning about the edge, behind its downward polygon and before the next upward one.
  return downward.map((down) => {
    const start = angleOf(down);
    const turn = (edge: Edge) => (angleOf(edge) - start + 4 * Math.PI) % (2 * Math.PI);
    return [upward.reduce((best, edge) => (turn(edge) < turn(best) ? edge : best)), down] as const;
  });
}

/** Sets that grow together. */
class Sets {
  private readonly parent: number[] = [];

  /** The number that stands for the set of `x`. */
  of(x: number): number {
    let root = x;
    while ((this.parent[root] ?? root) !== root) root = this.parent[root];
    this.parent[x] = root;
    return root;
  }

  /** Makes two sets one. */
  join(x: number, y: number): void {
    this.parent[this.of(y)] = this.of(x);
  }
}

/**
 * The polygons as a surface on which every edge has two faces, which cross it in opposite directions: where solids meet
 * in an edge or a point only, they get edges and vertices of their own.
 * @throws ConvergenceError where the polygons are not closed.
 */
export function manifold(polygons: Polygons): Surface {
  const { loops } = polygons;
  const firstCorner: number[] = [];
  let corners = 0;
  for (const loop of loops) {
    firstCorner.push(corners);
    corners += loop.length;
  }
  const edgesOf = new Map<string, { ends: readonly [number, number]; edges: Edge[] }>();
  loops.forEach((loop, polygon) => {
    loop.forEach((a, corner) => {
      const b = loop[(corner + 1) % loop.length];
      const ends = a < b ? ([a, b] as const) : ([b, a] as const);
      const key = ends.join();
      const known = edgesOf.get(key);
      const edge = { polygon, corner, upward: a < b };
      if (known === undefined) edgesOf.set(key, { ends, edges: [edge] });
      else known.edges.push(edge);
    });
  });
  const cornerAt = ({ polygon, corner }: Edge, step: 0 | 1) =>
    firstCorner[polygon] + ((corner + step) % loops[polygon].length);
  const sets = new Sets();
  const shared: (readonly [Edge, Edge])[] = [];
  for (const { ends, edges } of edgesOf.values()) {
    const pairs = paired(polygons, ends, edges);
    for (const [up, down] of pairs) {
      sets.join(cornerAt(up, 0), cornerAt(down, 1));
      sets.join(cornerAt(up, 1), cornerAt(down, 0));
    }
    if (pairs.length > 1) shared.push(...pairs);
  }
  const places: Surface["places"] = [];
  const numbers = new Map<number, number>();
  const result = loops.map((loop, polygon) =>
    loop.map((point, corner) => {
      const set = sets.of(firstCorner[polygon] + corner);
      let number = numbers.get(set);
      if (number === undefined) {
        number = places.length;
        numbers.set(set, number);
        places.push(polygons.place(point));
      }
      return number;
    }),
  );
  return { loops: withSharedEdgesApart(result, places, shared), places };
}

/** Gives pairs of edges between the same two vertices a vertex in the middle of each but one. */
function withSharedEdgesApart(
  loops: readonly number[][],
  places: Surface["places"],
  shared: readonly (readonly [Edge, Edge])[],
): number[][] {
  const taken = new Set<string>();
  const middles = new Map<string, number>();
  for (const pair of shared) {
    const { polygon, corner } = pair[0];
    const loop = loops[polygon];
    const [a, b] = [loop[corner], loop[(corner + 1) % loop.length]];
    const key = `${a},${b}`;
    if (taken.has(key)) {
      for (const edge of pair) middles.set(`${edge.polygon},${edge.corner}`, places.length);
      const middle = places[a].map((x, i) => (x + places[b][i]) / 2);
      places.push([middle[0], middle[1], middle[2]]);
    }
    taken.add(key);
  }
  if (middles.size === 0) return [...loops];
  return loops.map((loop, polygon) =>
    loop.flatMap((v, corner) => {
      const middle = middles.get(`${polygon},${corner}`);
      return middle === undefined ? [v] : [v, middle];
    }),
  );
}
