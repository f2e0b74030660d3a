import { IndexError, ShapeError, type sparse, ValueError } from "@offprint/tensor-core";

/**
 * The dependency graph of a symmetric sparse matrix: i and j are linked where the entry (i, j), i != j, is not zero.
 * Values count only in that; a matrix of ones is a graph as well.
 */
export type DependencyGraph = sparse.CsrMatrix;

/** @internal @throws ShapeError unless it is square; ValueError for an order that names a node twice or not at all. */
export function checkedOrder(owner: string, graph: DependencyGraph, order?: ArrayLike<number>): Int32Array {
  if (graph.rows !== graph.columns)
    throw new ShapeError(`${owner}: the graph has shape [${graph.shape}]; it must be square`);
  const n = graph.rows;
  if (order === undefined) return Int32Array.from({ length: n }, (_, i) => i);
  const seen = new Uint8Array(n);
  for (let k = 0; k < order.length; k++) {
    const i = order[k];
    if (!(Number.isInteger(i) && i >= 0 && i < n)) {
      throw new IndexError(`${owner}: order[${k}] is ${i}; nodes are the integers from 0 to ${n - 1}`);
    }
    if (seen[i] === 1) throw new ValueError(`${owner}: order names node ${i} twice`);
    seen[i] = 1;
  }
  return Int32Array.from(order);
}
