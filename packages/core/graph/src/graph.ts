import {
  asTensor,
  checkOptions,
  IndexError,
  ShapeError,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";

/** Edges in lists by one of their ends: those of node `i` stand at positions `indptr[i]` to `indptr[i + 1]`. */
export interface Adjacency {
  /** `[nodes + 1]` positions at which lists begin. */
  readonly indptr: Int32Array;
  /** `[edges]`: the node at the other end. */
  readonly neighbours: Int32Array;
  /** `[edges]`: the number of the edge in the graph's own order. */
  readonly edges: Int32Array;
}

/**
 * What message passing needs to know of a graph: a `Graph` is one, and so are tensors in the place of its lists, which may
 * be arguments of a compiled function (`graphTensors`).
 */
export interface EdgeList {
  /** Number of nodes. */
  readonly nodes: number;
  /** Number of directed edges. */
  readonly edges: number;
  /** `[edges]` node that each edge leaves. */
  readonly sources: Int32Array | Tensor;
  /** `[edges]` node that each edge enters. */
  readonly targets: Int32Array | Tensor;
  /** `[nodes]` number of the graph that each node belongs to, if this is a batch. */
  readonly graphIds?: Int32Array | Tensor | undefined;
  /** Number of graphs of a batch whose `graphIds` are a tensor. */
  readonly graphs?: number | undefined;
}

/** What a graph may carry beside its edges. */
export interface GraphOptions {
  /** `[edges]` weight of each edge. */
  weights?: ArrayLike<number>;
  /** `[edges]` kind of each edge, an integer >= 0, for relational models. */
  edgeTypes?: ArrayLike<number>;
  /** `[nodes]` number of the graph that a node belongs to, for batches. */
  graphIds?: ArrayLike<number>;
}

/**
 * A directed graph as a list of edges, from `sources[e]` to `targets[e]`. Messages flow along edges, so that a node
 * collects from the sources of its incoming edges; an undirected graph has every edge in both directions. Immutable:
 * its arrays are shared, never write to them. The lists by target and by source are built when first asked for.
 */
export class Graph {
  /** Number of nodes. */
  readonly nodes: number;
  /** `[edges]` node that each edge leaves. */
  readonly sources: Int32Array;
  /** `[edges]` node that each edge enters. */
  readonly targets: Int32Array;
  /** `[edges]` weights, if the graph has any. */
  readonly weights: Float64Array | undefined;
  /** `[edges]` kinds of edges, if the graph has any. */
  readonly edgeTypes: Int32Array | undefined;
  /** `[nodes]` number of the graph that each node belongs to, if this is a batch. */
  readonly graphIds: Int32Array | undefined;
  private incomingLists: Adjacency | undefined;
  private outgoingLists: Adjacency | undefined;

  /**
   * Int32Arrays are shared, not copied.
   * @throws IndexError for an end that is no integer in [0, nodes); ShapeError where lengths differ; ValueError for weights that are
   * not finite, and kinds and numbers of graphs that are no integers >= 0.
   */
  constructor(nodes: number, sources: ArrayLike<number>, targets: ArrayLike<number>, options: GraphOptions = {}) {
    if (!Number.isSafeInteger(nodes) || nodes < 0) {
      throw new ValueError(`Graph: the number of nodes is ${nodes}; it must be an integer >= 0`);
    }
    this.nodes = nodes;
    this.sources = nodeNumbers("sources", sources, nodes);
    this.targets = nodeNumbers("targets", targets, nodes);
    requireLength("targets", this.targets.length, this.sources.length, "edge");
    checkOptions("Graph", options, graphNames);
    const { weights, edgeTypes, graphIds } = options;
    if (weights !== undefined) {
      requireLength("weights", weights.length, this.edges, "edge");
      requireEach("weights", weights, "finite", Number.isFinite);
      this.weights = weights instanceof Float64Array ? weights : Float64Array.from(weights);
    }
    if (edgeTypes !== undefined) {
      requireLength("edgeTypes", edgeTypes.length, this.edges, "edge");
      requireEach("edgeTypes", edgeTypes, "integers >= 0", isNumber);
      this.edgeTypes = edgeTypes instanceof Int32Array ? edgeTypes : Int32Array.from(edgeTypes);
    }
    if (graphIds !== undefined) {
      requireLength("graphIds", graphIds.length, nodes, "node");
      requireEach("graphIds", graphIds, "integers >= 0", isNumber);
      this.graphIds = graphIds instanceof Int32Array ? graphIds : Int32Array.from(graphIds);
    }
  }

  /** Number of directed edges. */
  get edges(): number {
    return this.sources.length;
  }

  /** Edges by the node they enter, each list in the order of the edges. */
  get incoming(): Adjacency {
    this.incomingLists ??= lists(this.nodes, this.targets, this.sources);
    return this.incomingLists;
  }

  /** Edges by the node they leave, each list in the order of the edges. */
  get outgoing(): Adjacency {
    this.outgoingLists ??= lists(this.nodes, this.sources, this.targets);
    return this.outgoingLists;
  }

  /** `[nodes]` number of edges that enter (`in`) or leave (`out`) each node. */
  degree(direction: "in" | "out"): Int32Array {
    const degrees = new Int32Array(this.nodes);
    const ends = direction === "in" ? this.targets : this.sources;
    for (let e = 0; e < ends.length; e++) degrees[ends[e]]++;
    return degrees;
  }
}

function nodeNumbers(what: string, ends: ArrayLike<number>, nodes: number): Int32Array {
  for (let e = 0; e < ends.length; e++) {
    const node = ends[e];
    if (!(Number.isInteger(node) && node >= 0 && node < nodes)) {
      throw new IndexError(
        `Graph: ${what}[${e}] is ${node}; nodes of this graph are the integers from 0 to ${nodes - 1}`,
      );
    }
  }
  return ends instanceof Int32Array ? ends : Int32Array.from(ends);
}

const isNumber = (value: number) => Number.isSafeInteger(value) && value >= 0;

function requireEach(what: string, values: ArrayLike<number>, kind: string, holds: (value: number) => boolean): void {
  for (let i = 0; i < values.length; i++) {
    if (!holds(values[i])) throw new ValueError(`Graph: ${what}[${i}] is ${values[i]}; they must be ${kind}`);
  }
}

function requireLength(what: string, length: number, expected: number, each: string): void {
  if (length !== expected) {
    throw new ShapeError(`Graph: ${what} has ${length} entries; give one for each of the ${expected} ${each}s`);
  }
}

/** Counting sort of the edges by one end. */
function lists(nodes: number, by: Int32Array, other: Int32Array): Adjacency {
  const indptr = new Int32Array(nodes + 1);
  for (let e = 0; e < by.length; e++) indptr[by[e] + 1]++;
  for (let i = 0; i < nodes; i++) indptr[i + 1] += indptr[i];
  const next = indptr.slice(0, nodes);
  const neighbours = new Int32Array(by.length);
  const edges = new Int32Array(by.length);
  for (let e = 0; e < by.length; e++) {
    const position = next[by[e]]++;
    neighbours[position] = other[e];
    edges[position] = e;
  }
  return { indptr, neighbours, edges };
}

/** Pairs of nodes `[edges, 2]` as two lists: the columns. */
export function edgeEnds(owner: string, pairs: TensorLike): [first: Int32Array, second: Int32Array] {
  const t = asTensor(pairs);
  if (t.size === 0) return [new Int32Array(0), new Int32Array(0)];
  if (t.rank !== 2 || t.shape[1] !== 2) {
    throw new ShapeError(`${owner}: pairs of nodes have shape [${t.shape}]; it must be [pairs, 2]`);
  }
  const flat = t.data();
  const first = new Int32Array(t.shape[0]);
  const second = new Int32Array(t.shape[0]);
  for (let e = 0; e < first.length; e++) {
    for (const end of [flat[2 * e], flat[2 * e + 1]]) {
      if (!Number.isInteger(end)) throw new IndexError(`${owner}: ${end} in pair ${e} is no node number`);
    }
    first[e] = flat[2 * e];
    second[e] = flat[2 * e + 1];
  }
  return [first, second];
}

const graphNames = ["weights", "edgeTypes", "graphIds"];

/**
 * The graph with edges from `pairs[e][0]` to `pairs[e][1]`.
 * @param pairs `[edges, 2]`
 * @example directed([[0, 1], [1, 2]], 3)
 */
export function directed(pairs: TensorLike, nodes: number, options: GraphOptions = {}): Graph {
  checkOptions("directed", options, graphNames);
  return new Graph(nodes, ...edgeEnds("directed", pairs), options);
}

/**
 * The graph with each pair as an edge in both directions (a pair of equal nodes once): all edges as given first, then
 * the reversed ones. Weights and kinds are those of the pairs. Pairs that are given twice stay twice: see `coalesce`.
 * @param pairs `[edges, 2]`
 * @throws IndexError for a node outside [0, nodes).
 */
export function undirected(pairs: TensorLike, nodes: number, options: GraphOptions = {}): Graph {
  checkOptions("undirected", options, graphNames);
  const [first, second] = edgeEnds("undirected", pairs);
  const back: number[] = [];
  for (let e = 0; e < first.length; e++) if (first[e] !== second[e]) back.push(e);
  const both = (a: ArrayLike<number>, b: ArrayLike<number>) => [...Array.from(a), ...back.map((e) => b[e])];
  const { weights, edgeTypes, graphIds } = options;
  return new Graph(nodes, Int32Array.from(both(first, second)), Int32Array.from(both(second, first)), {
    ...(weights && { weights: both(weights, weights) }),
    ...(edgeTypes && { edgeTypes: both(edgeTypes, edgeTypes) }),
    ...(graphIds && { graphIds }),
  });
}
