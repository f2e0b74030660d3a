import { requireObject } from "@offprint/tensor-core";
import { DisjointSets } from "./disjoint-sets.js";
import { checkedOrder, type DependencyGraph, requireMirrored, sameEdge, wholeOrder } from "./graph.js";

/**
 * A maximal set of variables whose graph is a forest: goes through `order` and takes a variable where its neighbours that
 * were taken before lie in different trees. The earlier in the order, the surer a variable is taken; what the order leaves
 * out is not taken. Costs the entries of the graph.
 * @returns the variables, ascending
 */
export function forestBlock(order: ArrayLike<number>, graph: DependencyGraph): Int32Array {
  requireObject("forestBlock", "order", order, "an array of numbers");
  requireObject("forestBlock", "graph", graph, "a sparse matrix");
  const checked = checkedOrder("forestBlock", graph, order);
  requireMirrored("forestBlock", graph, checked, sameEdge);
  return greedyForest(checked, graph);
}

/** @internal `forestBlock` of a right order. */
export function greedyForest(order: Int32Array, graph: DependencyGraph): Int32Array {
  const { indptr, indices, values, rows: n } = graph;
  const trees = new DisjointSets(n);
  const taken = new Uint8Array(n);
  /** Which node last met a tree, to find a tree that it meets twice. */
  const met = new Int32Array(n).fill(-1);
  let count = 0;
  for (let k = 0; k < order.length; k++) {
    const i = order[k];
    const end = indptr[i + 1];
    let closes = false;
    for (let p = indptr[i]; p < end && !closes; p++) {
      const j = indices[p];
      if (j === i || taken[j] === 0 || values[p] === 0) continue;
      const tree = trees.find(j);
      if (met[tree] === i) closes = true;
      met[tree] = i;
    }
    if (closes) continue;
    taken[i] = 1;
    count++;
    for (let p = indptr[i]; p < end; p++) {
      const j = indices[p];
      if (j !== i && taken[j] === 1 && values[p] !== 0) trees.merge(i, j);
    }
  }
  const block = new Int32Array(count);
  for (let i = 0, k = 0; i < n; i++) if (taken[i] === 1) block[k++] = i;
  return block;
}

/**
 * A partition of the variables into forests: each, in the given order (default 0, 1, ...), goes into the first forest that
 * stays without a cycle, or opens a new one.
 */
export function forestPartition(graph: DependencyGraph, order?: ArrayLike<number>): Int32Array[] {
  requireObject("forestPartition", "graph", graph, "a sparse matrix");
  const { indptr, indices, values, rows: n } = graph;
  const forest = new Int32Array(n).fill(-1);
  const trees: DisjointSets[] = [];
  // A tree is met by a node in a forest: the stamp tells which node did last.
  const met: Int32Array[] = [];
  for (const i of wholeOrder("forestPartition", graph, order)) {
    const closed = new Set<number>();
    for (let p = indptr[i]; p < indptr[i + 1]; p++) {
      const j = indices[p];
      const f = forest[j];
      if (j === i || f < 0 || values[p] === 0) continue;
      const tree = trees[f].find(j);
      if (met[f][tree] === i) closed.add(f);
      met[f][tree] = i;
    }
    let chosen = 0;
    while (closed.has(chosen)) chosen++;
    if (chosen === trees.length) {
      trees.push(new DisjointSets(n));
      met.push(new Int32Array(n).fill(-1));
    }
    forest[i] = chosen;
    for (let p = indptr[i]; p < indptr[i + 1]; p++) {
      const j = indices[p];
      if (j !== i && forest[j] === chosen && values[p] !== 0) trees[chosen].merge(i, j);
    }
  }
  return collect(forest, trees.length);
}

/** @internal The nodes of each class, ascending. */
export function collect(classOf: Int32Array, count: number): Int32Array[] {
  const blocks: number[][] = Array.from({ length: count }, () => []);
  for (let i = 0; i < classOf.length; i++) if (classOf[i] >= 0) blocks[classOf[i]].push(i);
  return blocks.map((block) => Int32Array.from(block));
}
