import { Graph } from "@offprint/graph";
import type { Rng, Tensor } from "@offprint/tensor-core";

/** A graph of `nodes` nodes with `degree` edges into each, sources drawn with replacement. */
export function randomGraph(nodes: number, degree: number, rng: Rng): Graph {
  const sources = rng.randint([nodes * degree], { high: nodes }).data() as Int32Array;
  return new Graph(
    nodes,
    sources,
    Int32Array.from(sources, (_, e) => Math.floor(e / degree)),
  );
}

/** Logits uniform in [0, 1) and normal biases of some heads, in float64. */
export function randomMaps(graph: Graph, heads: number, rng: Rng): { logits: Tensor; bias: Tensor } {
  return {
    logits: rng.uniform([graph.edges, heads], { dtype: "float64" }),
    bias: rng.normal([graph.nodes, heads], { dtype: "float64" }),
  };
}
