import type { Surface } from "./manifold.js";

/** Loops that use each vertex. */
function incidence(loops: readonly (readonly number[])[]): Map<number, Set<number>> {
  const result = new Map<number, Set<number>>();
  loops.forEach((loop, f) => {
    for (const v of loop) {
      const own = result.get(v);
      if (own === undefined) result.set(v, new Set([f]));
      else own.add(f);
    }
  });
  return result;
}

function distance(a: readonly number[], b: readonly number[]): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

/**
 * Joins the ends of edges shorter than `least`, as planes that should meet in a point leave them, wherever the surface
 * stays one: where no third vertex is a neighbour of both ends but the tips of triangles on the edge.
 */
export function withoutShortEdges({ loops: given, places }: Surface, least: number): Surface {
  const loops = given.map((loop) => [...loop]);
  const using = incidence(loops);
  const neighbours = (v: number) => {
    const found = new Set<number>();
    for (const f of using.get(v) ?? []) {
      const loop = loops[f];
      loop.forEach((u, k) => {
        const next = loop[(k + 1) % loop.length];
        if (u === v) found.add(next);
        if (next === v) found.add(u);
      });
    }
    return found;
  };
  const join = (a: number, b: number): boolean => {
    const beside = [...(using.get(a) ?? [])].filter((f) => using.get(b)?.has(f));
    const around = neighbours(b);
    const common = [...neighbours(a)].filter((v) => around.has(v));
    const tips = beside.filter((f) => loops[f].length === 3).map((f) => loops[f].find((v) => v !== a && v !== b));
    if (beside.length !== 2 || common.length !== tips.length || !common.every((v) => tips.includes(v))) return false;
    // A tetrahedron would fold up.
    if (tips.length === 2 && tips[0] === tips[1]) return false;
    for (const f of using.get(b) ?? []) {
      loops[f] = loops[f].map((v) => (v === b ? a : v)).filter((v, k, all) => v !== all[(k + 1) % all.length]);
      using.get(a)?.add(f);
    }
    using.delete(b);
    for (const f of beside) {
      if (loops[f].length > 2) continue;
      for (const v of loops[f]) using.get(v)?.delete(f);
      loops[f] = [];
    }
    return true;
  };
  for (let f = 0; f < loops.length; f++) {
    for (let k = 0; k < loops[f].length; k++) {
      const [a, b] = [loops[f][k], loops[f][(k + 1) % loops[f].length]];
      // From the same corner again: the loop has become shorter.
      if (distance(places[a], places[b]) < least && join(a, b)) k = -1;
    }
  }
  return { loops, places };
}
