import { requireObject, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import { addRemainingSelfLoops } from "./edits.js";
import type { Graph } from "./graph.js";
import { spmm } from "./message-passing.js";

/** A sparse matrix that acts on node features: a number for each edge of a graph. */
export interface Propagation {
  /** The edges with entries; may have loops that the original graph does not have. */
  readonly graph: Graph;
  /** `[edges]` entries, at (target, source) of each edge. */
  readonly values: Float64Array;
}

/** What follows from a graph alone is computed once for it: graphs are immutable. */
export function perGraph<T>(owner: string, compute: (graph: Graph) => T): (graph: Graph) => T {
  const known = new WeakMap<Graph, T>();
  return (graph) => {
    requireObject(owner, "graph", graph, "a Graph");
    let value = known.get(graph);
    if (value === undefined) {
      value = compute(graph);
      known.set(graph, value);
    }
    return value;
  };
}

/** The graph with one loop at each node; computed once per graph. */
export const withSelfLoops = perGraph("withSelfLoops", addRemainingSelfLoops);

/**
 * `D^-1/2 (A + I) D^-1/2`, with the (weighted) in-degrees including the loop in `D`: the matrix of a graph
 * convolution (Kipf and Welling, ICLR 2017).
 * @throws ValueError for negative weights.
 */
export const normalizedAdjacency = perGraph("normalizedAdjacency", (graph: Graph): Propagation => {
  const looped = withSelfLoops(graph);
  const { sources, targets, weights } = looped;
  const degree = new Float64Array(looped.nodes);
  for (let e = 0; e < looped.edges; e++) {
    const weight = weights?.[e] ?? 1;
    if (!(weight >= 0)) {
      throw new ValueError(`normalizedAdjacency: the weight of edge ${e} is ${weight}; weights must be >= 0`);
    }
    degree[targets[e]] += weight;
  }
  const scale = degree.map((d) => (d > 0 ? 1 / Math.sqrt(d) : 0));
  const values = new Float64Array(looped.edges);
  for (let e = 0; e < values.length; e++) values[e] = scale[sources[e]] * (weights?.[e] ?? 1) * scale[targets[e]];
  return { graph: looped, values };
});

/** Averages over the sources of incoming edges, by weight where there are weights; 0 for a node without any. */
export const meanAdjacency = perGraph("meanAdjacency", (graph: Graph): Propagation => {
  const { targets, weights } = graph;
  const total = new Float64Array(graph.nodes);
  for (let e = 0; e < graph.edges; e++) total[targets[e]] += weights?.[e] ?? 1;
  const values = new Float64Array(graph.edges);
  for (let e = 0; e < values.length; e++) {
    values[e] = total[targets[e]] === 0 ? 0 : (weights?.[e] ?? 1) / total[targets[e]];
  }
  return { graph, values };
});

/** The entries of the graph's own matrix: its weights, or ones. */
export const adjacency = perGraph(
  "adjacency",
  (graph: Graph): Propagation => ({
    graph,
    values: graph.weights ?? new Float64Array(graph.edges).fill(1),
  }),
);

const tensors = new WeakMap<Float64Array, { float32?: Tensor; float64?: Tensor }>();

function entries(values: Float64Array, dtype: "float32" | "float64"): Tensor {
  let both = tensors.get(values);
  if (both === undefined) {
    both = {};
    tensors.set(values, both);
  }
  both[dtype] ??= tensor(dtype === "float32" ? Float32Array.from(values) : values);
  return both[dtype];
}

/** The matrix times node features `[nodes, features]`. */
export function propagate(propagation: Propagation, x: Tensor): Tensor {
  requireObject("propagate", "propagation", propagation, "a Propagation");
  requireObject("propagate", "x", x, "a tensor");
  const { graph, values } = propagation;
  return spmm(graph, entries(values, x.dtype === "float64" ? "float64" : "float32"), x);
}
