import { requireObject } from "@offprint/tensor-core";
import { collect } from "./forest-block.js";
import { type DependencyGraph, wholeOrder } from "./graph.js";

/**
 * A partition into sets without an edge inside, by greedy colouring: each variable, in the given order (default 0, 1, ...),
 * takes the least-used colour that no neighbour has, or a new one.
 */
export function redBlackPartition(graph: DependencyGraph, order?: ArrayLike<number>): Int32Array[] {
  requireObject("redBlackPartition", "graph", graph, "a sparse matrix");
  const { indptr, indices, values, rows: n } = graph;
  const colour = new Int32Array(n).fill(-1);
  const used: number[] = [];
  for (const i of wholeOrder("redBlackPartition", graph, order)) {
    const taken = new Set<number>();
    for (let p = indptr[i]; p < indptr[i + 1]; p++) {
      if (indices[p] !== i && values[p] !== 0 && colour[indices[p]] >= 0) taken.add(colour[indices[p]]);
    }
    let best = -1;
    for (let c = 0; c < used.length; c++) if (!taken.has(c) && (best < 0 || used[c] < used[best])) best = c;
    if (best < 0) {
      best = used.length;
      used.push(0);
    }
    colour[i] = best;
    used[best]++;
  }
  return collect(colour, used.length);
}
