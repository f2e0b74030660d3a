import {
  asTensor,
  cast,
  checkOptions,
  isFinite as finite,
  isTensor,
  requireObject,
  ShapeError,
  segmentMax,
  segmentMean,
  segmentSoftmax,
  segmentSum,
  type Tensor,
  type TensorLike,
  take,
  ValueError,
  where,
} from "@offprint/tensor-core";
import { edgeDot, edgeSum, type Flow } from "./edge-products.js";
import type { EdgeList, Graph } from "./graph.js";

function perEdge(owner: string, graph: EdgeList, values: TensorLike): Tensor {
  const t = asTensor(values);
  if (t.rank === 0 || t.shape[0] !== graph.edges) {
    throw new ShapeError(`${owner}: values of shape [${t.shape}] need axis 0 of extent ${graph.edges}, one per edge`);
  }
  return t;
}

function perNode(owner: string, graph: EdgeList, x: TensorLike): Tensor {
  const t = asTensor(x);
  if (t.rank === 0 || t.shape[0] !== graph.nodes) {
    throw new ShapeError(`${owner}: x of shape [${t.shape}] needs axis 0 of extent ${graph.nodes}, one per node`);
  }
  return t;
}

/** The rows of `x` `[nodes, ...]` at the source of every edge, `[edges, ...]`. */
export function gatherSources(graph: EdgeList, x: TensorLike): Tensor {
  return take(perNode("gatherSources", graph, x), graph.sources);
}

/** The rows of `x` `[nodes, ...]` at the target of every edge, `[edges, ...]`. */
export function gatherTargets(graph: EdgeList, x: TensorLike): Tensor {
  return take(perNode("gatherTargets", graph, x), graph.targets);
}

/** How what arrives at a node is put together. */
export type Reduction = "sum" | "mean" | "max";

function reduceSegments(t: Tensor, ids: Int32Array | Tensor, count: number, reduction: Reduction): Tensor {
  if (reduction === "sum") return segmentSum(t, ids, count);
  if (reduction === "mean") return segmentMean(t, ids, count);
  const largest = segmentMax(t, ids, count);
  return where(finite(largest), largest, 0);
}

/**
 * Messages `[edges, ...]` put together at the targets of their edges, `[nodes, ...]`; 0 where none arrives. Where
 * messages are rows of node features times a number per edge, `spmm` is the same without forming them.
 */
export function collect(graph: EdgeList, messages: TensorLike, reduction: Reduction = "sum"): Tensor {
  return reduceSegments(perEdge("collect", graph, messages), graph.targets, graph.nodes, reduction);
}

/** Nodes `[nodes, ...]` put together for each graph of a batch, `[graphs, ...]`; a graph that is no batch is one. */
export function readout(graph: EdgeList, x: TensorLike, reduction: Reduction = "sum"): Tensor {
  requireObject("readout", "graph", graph, "an EdgeList");
  const ids = graph.graphIds ?? new Int32Array(graph.nodes);
  return reduceSegments(perNode("readout", graph, x), ids, graph.graphs ?? graphsAmong(graph, ids), reduction);
}

function graphsAmong(graph: EdgeList, ids: Int32Array | Tensor): number {
  if (isTensor(ids)) {
    throw new ValueError("readout: graphIds is a tensor, which does not tell how many graphs there are; give graphs");
  }
  return ids.reduce((largest, id) => Math.max(largest, id + 1), graph.graphIds === undefined ? 1 : 0);
}

/**
 * Softmax of one number `[edges]`, or several `[edges, heads]`, per edge over the edges that enter the same node.
 */
export function edgeSoftmax(graph: EdgeList, logits: TensorLike): Tensor {
  return segmentSoftmax(perEdge("edgeSoftmax", graph, logits), graph.targets, graph.nodes);
}

/** Softmax over the edges that leave the same node. See `edgeSoftmax`. */
export function edgeSoftmaxBySource(graph: EdgeList, logits: TensorLike): Tensor {
  return segmentSoftmax(perEdge("edgeSoftmaxBySource", graph, logits), graph.sources, graph.nodes);
}

/** Options of `spmm`. */
export interface SpmmOptions {
  /** `forward` collects at the targets of edges, `backward` at their sources: the transposed matrix. Default forward. */
  flow?: Flow;
}

/**
 * The graph's sparse matrix times node features: `out[i] = sum over edges j -> i of values[edge] x[j]`.
 * Differentiable in both (to any order): the gradient of `values` is a dense product sampled at the edges.
 * @param values `[edges]` with x `[nodes, features]`, or `[edges, heads]` with x `[nodes, heads, features]`
 * @throws ShapeError where they do not fit the graph.
 */
export function spmm(graph: Graph, values: TensorLike, x: TensorLike, options: SpmmOptions = {}): Tensor {
  checkOptions("spmm", options, ["flow"]);
  const { flow = "forward" } = options;
  const features = perNode("spmm", graph, x);
  const weights = cast(perEdge("spmm", graph, values), features.dtype);
  if (features.rank === 3) return edgeSum(graph, weights, features, flow);
  if (features.rank !== 2 || weights.rank !== 1) {
    throw new ShapeError(
      `spmm: values [${weights.shape}] and x [${features.shape}] do not fit; give [edges] with [nodes, features], or ` +
        "[edges, heads] with [nodes, heads, features]",
    );
  }
  const [nodes, width] = features.shape;
  const heads = features.reshape([nodes, 1, width]);
  return edgeSum(graph, weights.reshape([graph.edges, 1]), heads, flow).reshape([nodes, width]);
}

/**
 * A dense product sampled at the edges: `into[target] . from[source]` for each edge, `[edges]`.
 * @param into `[nodes, features]`
 * @param from `[nodes, features]`
 */
export function sampledProduct(graph: Graph, into: TensorLike, from: TensorLike): Tensor {
  const a = perNode("sampledProduct", graph, into);
  const b = perNode("sampledProduct", graph, from);
  const shape = [graph.nodes, 1, a.shape[1]];
  return edgeDot(graph, a.reshape(shape), b.reshape(shape)).reshape([graph.edges]);
}
