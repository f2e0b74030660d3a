import { IndexError, ShapeError, sparse, type TensorLike, ValueError } from "@offprint/tensor-core";
import type { BlockObjective } from "../block-objective.js";
import { vectorOf } from "../numbers.js";
import { SparseDesign } from "../sparse-design.js";
import { quadraticOf } from "./quadratic.js";

/** The quadratic of label propagation, and which node each of its variables is. */
export interface LabelPropagation extends BlockObjective {
  /** `[n]` the nodes without a label, ascending: variable k is the value of node `unlabelled[k]`. */
  readonly unlabelled: Int32Array;
  /** `[nodes]` values of all nodes: x `[n]` with the labels put in. @throws ShapeError, ValueError for another x. */
  complete(x: ArrayLike<number>): Float64Array;
  /** Blocks of nodes, such as those of a lattice, as blocks of variables; labelled nodes and empty blocks fall out. @throws IndexError for no node. */
  blocksOf(nodes: readonly ArrayLike<number>[]): Int32Array[];
}

/**
 * Label propagation: values for the nodes of a graph that differ little along edges, `1/2 sum w_ij (y_i - y_j)^2` over
 * undirected edges {i, j}, where the values of labelled nodes are given. Each edge counts once.
 * @param W `[nodes, nodes]` symmetric weights >= 0; the diagonal is ignored
 * @param labels the value of each labelled node
 * @throws ValueError for a negative weight, a W that is not symmetric, and a component without a label.
 */
export function labelPropagation(W: sparse.SparseMatrix, labels: ReadonlyMap<number, number>): LabelPropagation {
  const owner = "labelPropagation";
  const weights = sparse.toCsr(W);
  const nodes = weights.rows;
  if (weights.columns !== nodes) throw new ShapeError(`${owner}: W has shape [${weights.shape}]; it must be square`);
  checkWeights(owner, weights);
  if (typeof labels?.get !== "function") {
    throw new ValueError(`${owner}: labels is ${String(labels)}; give a Map from nodes to their values`);
  }
  for (const [node, value] of labels) {
    if (!(Number.isInteger(node) && node >= 0 && node < nodes)) {
      throw new ValueError(`${owner}: labels names node ${node}; nodes are the integers from 0 to ${nodes - 1}`);
    }
    if (!Number.isFinite(value))
      throw new ValueError(`${owner}: the label of node ${node} is ${value}; it must be finite`);
  }
  requireReached(owner, weights, labels);
  const unlabelled = Int32Array.from({ length: nodes }, (_, i) => i).filter((i) => !labels.has(i));
  if (unlabelled.length === 0) throw new ValueError(`${owner}: every node has a label; there is nothing to find`);
  const place = new Int32Array(nodes).fill(-1);
  for (let k = 0; k < unlabelled.length; k++) place[unlabelled[k]] = k;

  const placeOf = (node: number): number => {
    if (place[node] !== undefined) return place[node];
    throw new IndexError(`blocksOf: a block names node ${node}; nodes are the integers from 0 to ${nodes - 1}`);
  };

  const c = new Float64Array(unlabelled.length);
  const rows: number[] = [];
  const columns: number[] = [];
  const values: number[] = [];
  const add = (row: number, column: number, value: number) => {
    rows.push(row);
    columns.push(column);
    values.push(value);
  };
  for (let k = 0; k < unlabelled.length; k++) {
    const i = unlabelled[k];
    let degree = 0;
    for (let p = weights.indptr[i]; p < weights.indptr[i + 1]; p++) {
      const j = weights.indices[p];
      const w = weights.values[p];
      if (j === i || w === 0) continue;
      degree += w;
      const label = labels.get(j);
      if (label === undefined) add(k, place[j], -w);
      else c[k] += w * label;
    }
    add(k, k, degree);
  }
  const shape: [number, number] = [unlabelled.length, unlabelled.length];
  const system = sparse.fromTriplets(...shape, rows, columns, values);
  return {
    ...quadraticOf(new SparseDesign(system, sparse.toCsc(system)), system, c),
    unlabelled,
    complete(x) {
      const values = vectorOf("complete", "x", x as TensorLike, { length: unlabelled.length });
      return Float64Array.from({ length: nodes }, (_, i) => labels.get(i) ?? values[place[i]]);
    },
    blocksOf: (blocks) =>
      blocks
        .map((block) => Int32Array.from(Array.from(block, placeOf).filter((k) => k >= 0)))
        .filter(({ length }) => length > 0),
  };
}

function checkWeights(owner: string, weights: sparse.CsrMatrix): void {
  const bad = weights.values.findIndex((w) => !(w >= 0 && w < Infinity));
  if (bad >= 0)
    throw new ValueError(`${owner}: W holds the weight ${weights.values[bad]}; weights are finite and >= 0`);
  const mirrored = sparse.toCsr(sparse.transpose(weights));
  const difference = sparse.add(weights, sparse.scale(mirrored, -1));
  if (difference.values.some((v) => v !== 0)) {
    throw new ValueError(`${owner}: W is not symmetric; give an undirected graph, such as (W + W^T) / 2`);
  }
}

/** Every component must hold a label: without one its values could all be shifted, and the system is singular. */
function requireReached(
  owner: string,
  { indptr, indices, values, rows }: sparse.CsrMatrix,
  labels: ReadonlyMap<number, number>,
): void {
  const reached = new Uint8Array(rows);
  const queue = [...labels.keys()];
  for (const i of queue) reached[i] = 1;
  for (let head = 0; head < queue.length; head++) {
    const i = queue[head];
    for (let p = indptr[i]; p < indptr[i + 1]; p++) {
      const j = indices[p];
      if (values[p] === 0 || reached[j] === 1) continue;
      reached[j] = 1;
      queue.push(j);
    }
  }
  const left = reached.indexOf(0);
  if (left >= 0) {
    throw new ValueError(`${owner}: no label reaches node ${left}; each component of the graph needs a labelled node`);
  }
}
