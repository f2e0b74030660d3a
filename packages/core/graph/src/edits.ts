import {
  asTensor,
  IndexError,
  requireFunction,
  requireObject,
  ShapeError,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { edgeEnds, Graph } from "./graph.js";

/** The edges for which `keep` is true, in order; nodes stay. */
export function filterEdges(graph: Graph, keep: (edge: number) => boolean): Graph {
  requireObject("filterEdges", "graph", graph, "a Graph");
  requireFunction("filterEdges", "keep", keep);
  const kept: number[] = [];
  for (let e = 0; e < graph.edges; e++) if (keep(e)) kept.push(e);
  return pickEdges(graph, kept);
}

function pickEdges(graph: Graph, kept: readonly number[]): Graph {
  const { sources, targets, weights, edgeTypes, graphIds } = graph;
  return new Graph(
    graph.nodes,
    Int32Array.from(kept, (e) => sources[e]),
    Int32Array.from(kept, (e) => targets[e]),
    {
      ...(weights && { weights: Float64Array.from(kept, (e) => weights[e]) }),
      ...(edgeTypes && { edgeTypes: Int32Array.from(kept, (e) => edgeTypes[e]) }),
      ...(graphIds && { graphIds }),
    },
  );
}

/** The graph without edges from a node to itself. */
export function removeSelfLoops(graph: Graph): Graph {
  requireObject("removeSelfLoops", "graph", graph, "a Graph");
  return filterEdges(graph, (e) => graph.sources[e] !== graph.targets[e]);
}

/**
 * The graph with exactly one edge from each node to itself, all at the end: loops that are there are kept once (the
 * last one where there are several), new ones have weight 1 and kind 0.
 */
export function addRemainingSelfLoops(graph: Graph): Graph {
  requireObject("addRemainingSelfLoops", "graph", graph, "a Graph");
  const { nodes, sources, targets, weights, edgeTypes, graphIds } = graph;
  const rest = removeSelfLoops(graph);
  const loopWeights = new Float64Array(nodes).fill(1);
  const loopTypes = new Int32Array(nodes);
  for (let e = 0; e < graph.edges; e++) {
    if (sources[e] !== targets[e]) continue;
    if (weights !== undefined) loopWeights[sources[e]] = weights[e];
    if (edgeTypes !== undefined) loopTypes[sources[e]] = edgeTypes[e];
  }
  const loops = Int32Array.from({ length: nodes }, (_, i) => i);
  return new Graph(nodes, joined(rest.sources, loops), joined(rest.targets, loops), {
    ...(rest.weights && { weights: joinedFloats(rest.weights, loopWeights) }),
    ...(rest.edgeTypes && { edgeTypes: joined(rest.edgeTypes, loopTypes) }),
    ...(graphIds && { graphIds }),
  });
}

function joined(a: Int32Array, b: Int32Array): Int32Array {
  const out = new Int32Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

function joinedFloats(a: Float64Array, b: Float64Array): Float64Array {
  const out = new Float64Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

/**
 * The graph with parallel edges (of one kind) merged, sorted by source, then target: weights add up, or the first one,
 * the largest or the mean is taken. Without weights, repeated edges just go.
 */
export function coalesce(graph: Graph, weight: "sum" | "first" | "max" | "mean" = "sum"): Graph {
  requireObject("coalesce", "graph", graph, "a Graph");
  const { sources, targets, weights, edgeTypes } = graph;
  const order = Array.from({ length: graph.edges }, (_, e) => e).sort(
    (a, b) =>
      sources[a] - sources[b] || targets[a] - targets[b] || (edgeTypes?.[a] ?? 0) - (edgeTypes?.[b] ?? 0) || a - b,
  );
  const same = (a: number, b: number) =>
    sources[a] === sources[b] && targets[a] === targets[b] && edgeTypes?.[a] === edgeTypes?.[b];
  const kept: number[] = [];
  const merged: number[] = [];
  let parallel = 1;
  for (const e of order) {
    const last = kept.length - 1;
    if (last >= 0 && same(kept[last], e)) {
      parallel++;
      if (weights === undefined || weight === "first") continue;
      if (weight === "max") merged[last] = Math.max(merged[last], weights[e]);
      else if (weight === "sum") merged[last] += weights[e];
      else merged[last] += (weights[e] - merged[last]) / parallel;
    } else {
      kept.push(e);
      merged.push(weights?.[e] ?? 1);
      parallel = 1;
    }
  }
  const picked = pickEdges(graph, kept);
  return weights === undefined ? picked : withWeights(picked, Float64Array.from(merged));
}

/** The same edges with other weights. */
export function withWeights(graph: Graph, weights: ArrayLike<number>): Graph {
  requireObject("withWeights", "graph", graph, "a Graph");
  requireObject("withWeights", "weights", weights, "an array of numbers");
  const { edgeTypes, graphIds } = graph;
  return new Graph(graph.nodes, graph.sources, graph.targets, {
    weights,
    ...(edgeTypes && { edgeTypes }),
    ...(graphIds && { graphIds }),
  });
}

/** Whether every edge has one back, of the same kind and weight. */
export function isUndirected(graph: Graph): boolean {
  requireObject("isUndirected", "graph", graph, "a Graph");
  const { sources, targets, weights, edgeTypes } = graph;
  const key = (from: number, to: number, e: number) => `${from} ${to} ${edgeTypes?.[e] ?? 0} ${weights?.[e] ?? 1}`;
  const open = new Map<string, number>();
  for (let e = 0; e < graph.edges; e++) {
    if (sources[e] === targets[e]) continue;
    const there = key(sources[e], targets[e], e);
    open.set(there, (open.get(there) ?? 0) + 1);
    const back = key(targets[e], sources[e], e);
    open.set(back, (open.get(back) ?? 0) - 1);
  }
  return [...open.values()].every((count) => count === 0);
}

/**
 * Graphs side by side as one, without edges between them: nodes are numbered through, and `graphIds` says which graph
 * each belongs to. Either all graphs have weights (kinds), or the batch has none.
 * @throws ValueError for no graphs.
 */
export function batch(graphs: readonly Graph[]): Graph {
  requireObject("batch", "graphs", graphs, "an array");
  if (graphs.length === 0) throw new ValueError("batch: there are no graphs; give at least one");
  const nodes = graphs.reduce((total, g) => total + g.nodes, 0);
  const edges = graphs.reduce((total, g) => total + g.edges, 0);
  const sources = new Int32Array(edges);
  const targets = new Int32Array(edges);
  const graphIds = new Int32Array(nodes);
  const weights = graphs.every((g) => g.weights !== undefined) ? new Float64Array(edges) : undefined;
  const edgeTypes = graphs.every((g) => g.edgeTypes !== undefined) ? new Int32Array(edges) : undefined;
  let node = 0;
  let edge = 0;
  graphs.forEach((g, id) => {
    for (let e = 0; e < g.edges; e++) {
      sources[edge + e] = g.sources[e] + node;
      targets[edge + e] = g.targets[e] + node;
    }
    weights?.set(g.weights as Float64Array, edge);
    edgeTypes?.set(g.edgeTypes as Int32Array, edge);
    graphIds.fill(id, node, node + g.nodes);
    node += g.nodes;
    edge += g.edges;
  });
  return new Graph(nodes, sources, targets, {
    graphIds,
    ...(weights && { weights }),
    ...(edgeTypes && { edgeTypes }),
  });
}

/**
 * The graph with further nodes, numbered from `graph.nodes`, and further directed edges at the end, which may touch
 * them. New edges have weight 1 and kind 0 where the graph has weights or kinds.
 * @param pairs `[edges, 2]`
 */
export function augment(graph: Graph, extraNodes: number, pairs: TensorLike): Graph {
  const [first, second] = edgeEnds("augment", pairs);
  const { weights, edgeTypes } = graph;
  const nodes = graph.nodes + extraNodes;
  return new Graph(nodes, joined(graph.sources, first), joined(graph.targets, second), {
    ...(weights && { weights: joinedFloats(weights, new Float64Array(first.length).fill(1)) }),
    ...(edgeTypes && { edgeTypes: joined(edgeTypes, new Int32Array(first.length)) }),
  });
}

/** Part of a graph, and where it was. */
export interface Subgraph {
  /** Nodes are numbered in the order in which they were asked for. */
  readonly graph: Graph;
  /** `[nodes of the part]` numbers in the whole graph. */
  readonly nodes: Int32Array;
  /** `[edges of the part]` numbers of the edges in the whole graph. */
  readonly edges: Int32Array;
}

/**
 * The given nodes with all edges among them.
 * @param nodes distinct node numbers
 * @throws IndexError for a node that is not there; ValueError for one that is given twice.
 */
export function subgraph(graph: Graph, nodes: TensorLike): Subgraph {
  const list = Int32Array.from(asTensor(nodes).data());
  const place = new Int32Array(graph.nodes).fill(-1);
  list.forEach((node, i) => {
    if (!(node >= 0 && node < graph.nodes)) {
      throw new IndexError(`subgraph: node ${node} is not among the ${graph.nodes} nodes`);
    }
    if (place[node] >= 0) throw new ValueError(`subgraph: node ${node} is given twice; give each once`);
    place[node] = i;
  });
  const edges: number[] = [];
  for (let e = 0; e < graph.edges; e++) {
    if (place[graph.sources[e]] >= 0 && place[graph.targets[e]] >= 0) edges.push(e);
  }
  const { sources, targets, weights, edgeTypes, graphIds } = graph;
  const part = new Graph(
    list.length,
    Int32Array.from(edges, (e) => place[sources[e]]),
    Int32Array.from(edges, (e) => place[targets[e]]),
    {
      ...(weights && { weights: Float64Array.from(edges, (e) => weights[e]) }),
      ...(edgeTypes && { edgeTypes: Int32Array.from(edges, (e) => edgeTypes[e]) }),
      ...(graphIds && { graphIds: Int32Array.from(list, (i) => graphIds[i]) }),
    },
  );
  return { graph: part, nodes: list, edges: Int32Array.from(edges) };
}

/**
 * The nodes from which the given ones can be reached along at most `hops` edges, with all edges among them: all that
 * the output of a network with `hops` layers at these nodes depends on. The given nodes come first.
 */
export function khop(graph: Graph, nodes: TensorLike, hops: number): Subgraph {
  if (!Number.isInteger(hops) || hops < 0) throw new ValueError(`khop: hops is ${hops}; it must be an integer >= 0`);
  const t = asTensor(nodes);
  if (t.rank > 1) throw new ShapeError(`khop: nodes have shape [${t.shape}]; give a list`);
  const reached = new Set<number>(t.data());
  const { indptr, neighbours } = graph.incoming;
  let border = [...reached];
  for (let hop = 0; hop < hops; hop++) {
    const next: number[] = [];
    for (const node of border) {
      for (let p = indptr[node]; p < indptr[node + 1]; p++) {
        if (reached.has(neighbours[p])) continue;
        reached.add(neighbours[p]);
        next.push(neighbours[p]);
      }
    }
    border = next;
  }
  return subgraph(graph, Int32Array.from(reached));
}
