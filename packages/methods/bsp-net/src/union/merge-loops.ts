import type { ExactPlanes } from "./exact-planes.js";
import type { Loop } from "./seams.js";

const at = <T>(list: readonly T[], k: number): T => list[((k % list.length) + list.length) % list.length];

/** Where an edge goes from `a` to `b`; -1 for nowhere. */
function edgeIndex({ vertices }: Loop, a: number, b: number): number {
  return vertices.findIndex((v, k) => v === a && at(vertices, k + 1) === b);
}

/** Whether a vertex is on the inner side of the line of an edge, or on it. */
function turnsInward(planes: ExactPlanes, { vertices, edges }: Loop, edge: number, vertex: number): boolean {
  const plane = at(edges, edge);
  const inner = vertices.map((v) => planes.side(plane, v)).find((side) => side !== 0);
  return planes.side(plane, vertex) !== -(inner as number);
}

/** Two loops that have the edge `k` of the first in common, as one, where that is convex; else null. */
function joined(planes: ExactPlanes, first: Loop, k: number, second: Loop, l: number): Loop | null {
  const [m, n] = [first.vertices.length, second.vertices.length];
  // The common edges go from corner `start` to corner `end` of the first loop, and back in the second.
  let [start, end] = [k, k + 1];
  let [secondStart, secondEnd] = [l + 1, l];
  while (at(first.vertices, end + 1) === at(second.vertices, secondEnd - 1) && end - start < m) {
    end++;
    secondEnd--;
  }
  while (at(first.vertices, start - 1) === at(second.vertices, secondStart + 1) && end - start < m) {
    start--;
    secondStart++;
  }
  const common = end - start;
  const intoEnd = secondEnd - 1;
  const intoStart = start - 1;
  if (!turnsInward(planes, second, intoEnd, at(first.vertices, end + 1))) return null;
  if (!turnsInward(planes, first, intoStart, at(second.vertices, secondStart + 1))) return null;
  const take = <T>(list: readonly T[], from: number, count: number) =>
    Array.from({ length: count }, (_, i) => at(list, from + i));
  const rest = (part: "vertices" | "edges") => [
    ...take(first[part], end, m - common),
    ...take(second[part], secondStart, n - common),
  ];
  return { facet: first.facet, vertices: rest("vertices"), edges: rest("edges") };
}

/** Joins what one facet was cut into as far as the parts stay convex. */
function mergedGroup(planes: ExactPlanes, group: readonly Loop[]): Loop[] {
  const waiting = [...group];
  const done: Loop[] = [];
  for (let loop = waiting.pop(); loop !== undefined; loop = waiting.pop()) {
    let larger: Loop | null = null;
    for (let k = 0; k < loop.vertices.length && larger === null; k++) {
      const [a, b] = [loop.vertices[k], at(loop.vertices, k + 1)];
      const other = waiting.findIndex((candidate) => edgeIndex(candidate, b, a) >= 0);
      if (other < 0) continue;
      larger = joined(planes, loop, k, waiting[other], edgeIndex(waiting[other], b, a));
      if (larger === null) continue;
      waiting.splice(other, 1, larger);
      // What did not fit its parts may fit the whole.
      waiting.push(...done.splice(0));
    }
    if (larger === null) done.push(loop);
  }
  return done;
}

/** Joins the parts of each facet, given facet by facet, and leaves out corners that no edge needs. */
export function mergedLoops(planes: ExactPlanes, groups: readonly (readonly Loop[])[]): Loop[] {
  return withoutStraightCorners(
    planes,
    groups.flatMap((group) => mergedGroup(planes, group)),
  );
}

/** Leaves out vertices at which all loops go straight on, between the same two neighbours. */
function withoutStraightCorners(planes: ExactPlanes, loops: readonly Loop[]): Loop[] {
  const needed = new Set<number>();
  const neighbours = new Map<number, string>();
  for (const { vertices, edges } of loops) {
    vertices.forEach((v, k) => {
      const [before, after] = [at(vertices, k - 1), at(vertices, k + 1)];
      const pair = before < after ? `${before},${after}` : `${after},${before}`;
      const known = neighbours.get(v);
      const straight = planes.side(at(edges, k - 1), after) === 0;
      if (!straight || (known !== undefined && known !== pair)) needed.add(v);
      neighbours.set(v, pair);
    });
  }
  return loops.map(({ facet, vertices, edges }) => {
    const kept = vertices.flatMap((v, k) => (needed.has(v) ? [k] : []));
    return { facet, vertices: kept.map((k) => vertices[k]), edges: kept.map((k) => edges[k]) };
  });
}
