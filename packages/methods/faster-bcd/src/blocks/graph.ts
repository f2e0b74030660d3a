import { IndexError, ShapeError, type sparse, ValueError } from "@offprint/tensor-core";

/**
 * The dependency graph of a symmetric sparse matrix: i and j are linked where the entry (i, j), i != j, is not zero.
 * Values count only in that; a matrix of ones is a graph as well.
 */
export type DependencyGraph = sparse.CsrMatrix;

/** @internal The entry (i, j), found by bisection. */
export function entryAt({ indptr, indices, values }: sparse.CsrMatrix, i: number, j: number): number {
  let [low, high] = [indptr[i], indptr[i + 1]];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (indices[middle] < j) low = middle + 1;
    else high = middle;
  }
  return low < indptr[i + 1] && indices[low] === j ? values[low] : 0;
}

/** @internal @throws ValueError where an entry of these rows is not what its mirror image is. */
export function requireMirrored(
  owner: string,
  A: sparse.CsrMatrix,
  rows: Int32Array,
  alike: (entry: number, mirrored: number) => boolean,
): void {
  for (const i of rows) {
    for (let p = A.indptr[i]; p < A.indptr[i + 1]; p++) {
      const j = A.indices[p];
      if (alike(A.values[p], entryAt(A, j, i))) continue;
      throw new ValueError(
        `${owner}: the entry [${i}, ${j}] is ${A.values[p]} and [${j}, ${i}] is ${entryAt(A, j, i)}; give both halves of a symmetric matrix`,
      );
    }
  }
}

/** @internal Whether both are an edge, or none. */
export const sameEdge = (entry: number, mirrored: number): boolean => entry === 0 || mirrored !== 0;

/** @internal @throws ValueError unless it is in rows; ShapeError unless it is square; ValueError for an order that names a node twice. */
export function checkedOrder(owner: string, graph: DependencyGraph, order?: ArrayLike<number>): Int32Array {
  if (graph.format !== "csr")
    throw new ValueError(`${owner}: the graph is no sparse matrix in rows; give one, such as sparse.toCsr(matrix)`);
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

/** @internal An order of all nodes of a graph whose edges go both ways. @throws ValueError for one that leaves nodes out. */
export function wholeOrder(owner: string, graph: DependencyGraph, order?: ArrayLike<number>): Int32Array {
  const checked = checkedOrder(owner, graph, order);
  if (checked.length < graph.rows) {
    throw new ValueError(
      `${owner}: order names ${checked.length} of ${graph.rows} nodes; a partition needs all of them`,
    );
  }
  requireMirrored(owner, graph, checked, sameEdge);
  return checked;
}
