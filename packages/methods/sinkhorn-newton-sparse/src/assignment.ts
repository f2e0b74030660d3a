import { ShapeError, type TensorLike } from "@offprint/tensor-core";
import { readArray } from "./transport-problem.js";

/** A cheapest assignment. */
export interface Assignment {
  /** `[n]` the column of each row, all different. */
  readonly columns: Int32Array;
  /** Sum of the assigned costs; divided by n, the cost of optimal transport between uniform masses. */
  readonly cost: number;
  /** `[n]` dual prices of the rows: cost_ij >= x_i + y_j, with equality where assigned. */
  readonly x: Float64Array;
  /** `[m]` dual prices of the columns, <= 0; 0 where no row is assigned. */
  readonly y: Float64Array;
}

/**
 * The cheapest assignment of rows to columns, exactly, by shortest augmenting paths (Jonker and Volgenant, 1987): the
 * limit eta -> infinity for uniform masses. O(n^2 m).
 *
 * @param cost `[n, m]` with n <= m, finite
 * @throws ShapeError where there are more rows than columns; ValueError for costs that are not finite
 * @example
 * assignment([[4, 1], [2, 3]]).columns // [1, 0]
 */
export function assignment(cost: TensorLike): Assignment {
  const { data: C, shape } = readArray("assignment", "cost", cost, 2);
  const [n, m] = shape;
  if (n > m)
    throw new ShapeError(`assignment: cost has shape [${shape}]; give the transpose, with no more rows than columns`);
  const x = new Float64Array(n);
  const y = new Float64Array(m);
  const rowOf = new Int32Array(m).fill(-1);
  const columns = new Int32Array(n).fill(-1);
  const distance = new Float64Array(m);
  const before = new Int32Array(m);
  const done = new Uint8Array(m);
  for (let start = 0; start < n; start++) {
    distance.fill(Infinity);
    done.fill(0);
    let row = start;
    let reached = 0;
    let last = -1;
    for (;;) {
      let next = -1;
      for (let j = 0; j < m; j++) {
        if (done[j] === 1) continue;
        const through = reached + (C[row * m + j] - x[row] - y[j]);
        if (through < distance[j]) {
          distance[j] = through;
          before[j] = row;
        }
        if (next < 0 || distance[j] < distance[next]) next = j;
      }
      reached = distance[next];
      if (rowOf[next] < 0) {
        last = next;
        break;
      }
      done[next] = 1;
      row = rowOf[next];
    }
    for (let j = 0; j < m; j++) {
      if (done[j] === 0) continue;
      y[j] -= reached - distance[j];
      x[rowOf[j]] += reached - distance[j];
    }
    x[start] += reached;
    for (let j = last; ; ) {
      const i = before[j];
      rowOf[j] = i;
      const previous = columns[i];
      columns[i] = j;
      if (i === start) break;
      j = previous;
    }
  }
  let total = 0;
  for (let i = 0; i < n; i++) total += C[i * m + columns[i]];
  return { columns, cost: total, x, y };
}
