import {
  concatenate,
  customVjp,
  expandDims,
  matmul,
  type Tensor,
  take,
  tensor,
  transpose,
  zeros,
} from "@offprint/tensor-core";
import { edgeDot, edgeSum, type Flow } from "./edge-products.js";
import type { Adjacency, Graph } from "./graph.js";

/** Nodes of similar degree, their neighbours in a rectangle. */
interface Bucket {
  /** `[rows, width]` other ends; places beyond a node's degree repeat its first neighbour. */
  readonly neighbours: Tensor;
  /** `[rows, width]` edges; places beyond a node's degree name the edge after the last, whose value is 0. */
  readonly edges: Tensor;
}

/** A graph's edges as rectangles, which gather and multiply without scattering. */
interface PaddedLists {
  readonly buckets: readonly Bucket[];
  /** Number of nodes without edges, which follow those of the buckets. */
  readonly isolated: number;
  /** `[nodes]` row of each node among the rows of the buckets and the isolated nodes. */
  readonly rows: Tensor;
}

/** Unused places that are tolerated before a new rectangle is begun; each rectangle costs a few operations. */
const SPARE_PLACES = 512;

function padded(adjacency: Adjacency): PaddedLists {
  const { indptr } = adjacency;
  const nodes = indptr.length - 1;
  const degree = (i: number) => indptr[i + 1] - indptr[i];
  const order = Array.from({ length: nodes }, (_, i) => i).sort((a, b) => degree(b) - degree(a) || a - b);
  const buckets: Bucket[] = [];
  let first = 0;
  while (first < nodes && degree(order[first]) > 0) {
    const width = degree(order[first]);
    let spare = 0;
    let last = first;
    while (last < nodes && degree(order[last]) > 0) {
      const unused = width - degree(order[last]);
      if (unused > width / 4 && spare + unused > SPARE_PLACES) break;
      spare += unused;
      last++;
    }
    buckets.push(bucketOf(adjacency, order.slice(first, last), width));
    first = last;
  }
  const rows = new Int32Array(nodes);
  order.forEach((node, row) => {
    rows[node] = row;
  });
  return { buckets, isolated: nodes - first, rows: tensor(rows) };
}

function bucketOf({ indptr, neighbours, edges }: Adjacency, nodes: readonly number[], width: number): Bucket {
  const near = new Int32Array(nodes.length * width);
  const names = new Int32Array(nodes.length * width).fill(edges.length);
  nodes.forEach((node, row) => {
    const first = indptr[node];
    near.fill(neighbours[first], row * width, (row + 1) * width);
    near.set(neighbours.subarray(first, indptr[node + 1]), row * width);
    names.set(edges.subarray(first, indptr[node + 1]), row * width);
  });
  const shape = [nodes.length, width];
  return { neighbours: tensor(near, { shape }), edges: tensor(names, { shape }) };
}

const known: Record<Flow, WeakMap<Graph, PaddedLists>> = { forward: new WeakMap(), backward: new WeakMap() };

function paddedLists(graph: Graph, flow: Flow): PaddedLists {
  let lists = known[flow].get(graph);
  if (lists === undefined) {
    lists = padded(flow === "forward" ? graph.incoming : graph.outgoing);
    known[flow].set(graph, lists);
  }
  return lists;
}

/**
 * `edgeSum` out of gathers and batched products of rectangles of neighbours, by degree: what compiled graphs run fast,
 * where adding at scattered places is slow. Its gradient is the same sum along reversed edges.
 * @param values `[edges, heads]`
 * @param x `[nodes, heads, features]`
 */
export function paddedEdgeSum(graph: Graph, values: Tensor, x: Tensor, flow: Flow): Tensor {
  const compute = (v: Tensor, z: Tensor) => rectangles(paddedLists(graph, flow), v, z);
  const back = flow === "forward" ? "backward" : "forward";
  return customVjp(
    compute,
    (v: Tensor, z: Tensor) => [compute(v, z), [v, z]],
    ([v, z], g: Tensor) => [
      flow === "forward" ? edgeDot(graph, g, z) : edgeDot(graph, z, g),
      edgeSum(graph, v, g, back),
    ],
  )(values, x);
}

function rectangles({ buckets, isolated, rows }: PaddedLists, values: Tensor, x: Tensor): Tensor {
  const [, heads, features] = x.shape;
  const ending = concatenate([values, zeros([1, heads], values.dtype)]);
  const parts = buckets.map(({ neighbours, edges }) => {
    const [count] = edges.shape;
    // [rows, heads, 1, width] times [rows, heads, width, features]
    const weights = expandDims(transpose(take(ending, edges), [0, 2, 1]), 2);
    const gathered = take(x, neighbours);
    if (heads === 1) {
      const flat = gathered.reshape([count, -1, features]);
      return matmul(weights.reshape([count, 1, -1]), flat).reshape([count, heads, features]);
    }
    return matmul(weights, transpose(gathered, [0, 2, 1, 3])).reshape([count, heads, features]);
  });
  if (isolated > 0) parts.push(zeros([isolated, heads, features], x.dtype));
  return take(parts.length === 1 ? parts[0] : concatenate(parts), rows);
}
