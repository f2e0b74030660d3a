import { coalesce, type Graph } from "@offprint/graph";
import { IndexError, requireObject, ShapeError, ValueError } from "@offprint/tensor-core";

/** `common`: number of common neighbours; `adamic-adar`: each counts 1 / log(degree). */
export type NeighbourScore = "common" | "adamic-adar";

/**
 * Scores of pairs by their common neighbours, which need no features and no training.
 * @param pairs `[pairs, 2]`, row by row
 * @see Adamic and Adar, Social Networks 25 (2003).
 */
export function neighbourScores(graph: Graph, pairs: ArrayLike<number>, kind: NeighbourScore = "common"): Float64Array {
  requireObject("neighbourScores", "graph", graph, "a Graph");
  requireObject("neighbourScores", "pairs", pairs, "an array of numbers");
  if (kind !== "common" && kind !== "adamic-adar") {
    throw new ValueError(`neighbourScores: kind is ${String(kind)}; it must be common or adamic-adar`);
  }
  if (pairs.length % 2 !== 0) throw new ShapeError("neighbourScores: pairs must hold two nodes each");
  for (let i = 0; i < pairs.length; i++) {
    if (Number.isInteger(pairs[i]) && pairs[i] >= 0 && pairs[i] < graph.nodes) continue;
    throw new IndexError(`neighbourScores: a pair names node ${pairs[i]}; nodes are 0 to ${graph.nodes - 1}`);
  }
  const { indptr, neighbours } = coalesce(graph).outgoing;
  const near = (i: number) => neighbours.subarray(indptr[i], indptr[i + 1]);
  return Float64Array.from({ length: pairs.length / 2 }, (_, p) => {
    const first = new Set(near(pairs[2 * p]));
    let score = 0;
    for (const node of near(pairs[2 * p + 1])) {
      // A common neighbour has two, so that the logarithm is positive.
      if (first.has(node)) score += kind === "common" ? 1 : 1 / Math.log(indptr[node + 1] - indptr[node]);
    }
    return score;
  });
}
