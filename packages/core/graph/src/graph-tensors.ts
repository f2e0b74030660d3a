import { checkOptions, requireInteger, requireObject, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import type { EdgeList, Graph } from "./graph.js";

/** A graph as tensors: arguments of a compiled function, which then serves every graph that fits into the same extents. */
export interface GraphTensors {
  /** `[edges]` node that each edge leaves; the last node for edges that only fill up. */
  readonly sources: Tensor;
  /** `[edges]` node that each edge enters; likewise. */
  readonly targets: Tensor;
  /** `[nodes]` graph that each node belongs to; the last one for nodes that only fill up. */
  readonly graphIds: Tensor;
  /** `[nodes]` 1 for nodes of the graph, 0 for those that fill up. */
  readonly nodeMask: Tensor;
  /** `[edges]` likewise. */
  readonly edgeMask: Tensor;
  /** `[graphs]` likewise. */
  readonly graphMask: Tensor;
}

/** Extents to fill up to, and the precision of the masks. */
export interface GraphTensorOptions {
  /** Nodes. More than the graph has where edges or graphs are filled up. Default those of the graph. */
  nodes?: number;
  /** Edges. Default those of the graph. */
  edges?: number;
  /** Graphs of a batch. Default those of the batch. */
  graphs?: number;
  /** Default float32. */
  dtype?: "float32" | "float64";
}

/**
 * The lists of a graph as tensors, filled up with edges from and to a node that is none of the graph's: what is computed
 * at the graph's own nodes does not see them.
 * @throws ValueError for extents that are too small.
 */
export function graphTensors(graph: Graph, options: GraphTensorOptions = {}): GraphTensors {
  requireObject("graphTensors", "graph", graph, "a Graph");
  const owner = "graphTensors";
  checkOptions(owner, options, ["nodes", "edges", "graphs", "dtype"]);
  const count = (graph.graphIds ?? new Int32Array(1)).reduce((largest, id) => Math.max(largest, id + 1), 0);
  const { nodes = graph.nodes, edges = graph.edges, graphs = count, dtype = "float32" } = options;
  requireInteger(owner, "nodes", nodes, graph.nodes);
  requireInteger(owner, "edges", edges, graph.edges);
  requireInteger(owner, "graphs", graphs, count);
  if (nodes === graph.nodes && (edges > graph.edges || graphs > count)) {
    throw new ValueError(`${owner}: nodes is ${nodes}; give at least ${nodes + 1}, as edges that fill up need a node`);
  }
  if (nodes > graph.nodes && graphs === count && graph.graphIds !== undefined) {
    throw new ValueError(
      `${owner}: graphs is ${graphs}; give at least ${graphs + 1}, as nodes that fill up need a graph`,
    );
  }
  const filled = (values: Int32Array | undefined, own: number, length: number, rest: number) => {
    const out = new Int32Array(length).fill(rest, own);
    if (values !== undefined) out.set(values);
    return tensor(out);
  };
  const mask = (own: number, length: number) => tensor(new Float64Array(length).fill(1, 0, own), { dtype });
  return {
    sources: filled(graph.sources, graph.edges, edges, nodes - 1),
    targets: filled(graph.targets, graph.edges, edges, nodes - 1),
    graphIds: filled(graph.graphIds, graph.nodes, nodes, graphs - 1),
    nodeMask: mask(graph.nodes, nodes),
    edgeMask: mask(graph.edges, edges),
    graphMask: mask(count, graphs),
  };
}

/** Tensors of a graph as what message passing takes. */
export function edgeListOf(graphTensors: GraphTensors): EdgeList {
  requireObject("edgeListOf", "graphTensors", graphTensors, "GraphTensors");
  const { sources, targets, graphIds, nodeMask, edgeMask, graphMask } = graphTensors;
  const [nodes, edges, graphs] = [nodeMask.shape[0], edgeMask.shape[0], graphMask.shape[0]];
  return { nodes, edges, graphs, sources, targets, graphIds };
}
