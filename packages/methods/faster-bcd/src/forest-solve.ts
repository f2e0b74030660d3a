import { requireObject, ShapeError, type sparse, type TensorLike, ValueError } from "@offprint/tensor-core";
import { checkedOrder, entryAt, requireMirrored } from "./blocks/graph.js";
import { vectorOf } from "./numbers.js";

/**
 * Solves `A_bb x = rhs` exactly where the graph of A inside the block is a forest: messages from the leaves to the roots
 * and back (Gaussian belief propagation, or Cholesky without fill-in), in time proportional to the entries in the block's
 * rows.
 * @param A `[n, n]` symmetric
 * @param rhs `[t]`; terms of variables outside the block already moved to it
 * @param block `[t]` variables
 * @returns `[t]`
 * @throws ValueError where the block has a cycle, or A_bb is not positive definite.
 */
export function forestSolve(A: sparse.CsrMatrix, rhs: TensorLike, block: ArrayLike<number>): Float64Array {
  requireObject("forestSolve", "A", A, "a sparse matrix");
  requireObject("forestSolve", "block", block, "an array of numbers");
  const owner = "forestSolve";
  const b = checkedOrder(owner, A, block);
  const values = vectorOf(owner, "rhs", rhs);
  if (values.length !== b.length) {
    throw new ShapeError(`${owner}: rhs has ${values.length} values for a block of ${b.length}; they must be as many`);
  }
  const rounding = 1e-10 * A.values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  requireMirrored(owner, A, b, (entry, mirrored) => Math.abs(entry - mirrored) <= rounding);
  return forestSystem(owner, A, b).solve(values);
}

/** @internal A system on a forest, ordered for elimination. */
export interface ForestSystem {
  /** The solution for a right side `[t]`. */
  solve(rhs: Float64Array): Float64Array;
}

/** @internal Orders and eliminates A_bb once; each right side then costs O(t). */
export function forestSystem(owner: string, A: sparse.CsrMatrix, block: Int32Array): ForestSystem {
  const { order, parent, coupling } = rooted(owner, A, block);
  const t = block.length;
  const pivots = new Float64Array(t);
  for (let k = 0; k < t; k++) pivots[k] = entryAt(A, block[k], block[k]);
  // Leaves first: every pivot is complete when its turn comes.
  for (let s = t - 1; s >= 0; s--) {
    const k = order[s];
    if (!(pivots[k] > 0)) {
      throw new ValueError(
        `${owner}: the pivot of variable ${block[k]} is ${pivots[k]}; the matrix is not positive definite on the block`,
      );
    }
    if (parent[k] >= 0) pivots[parent[k]] -= coupling[k] ** 2 / pivots[k];
  }
  return {
    solve(rhs) {
      const x = rhs.slice();
      for (let s = t - 1; s >= 0; s--) {
        const k = order[s];
        if (parent[k] >= 0) x[parent[k]] -= (coupling[k] * x[k]) / pivots[k];
      }
      for (let s = 0; s < t; s++) {
        const k = order[s];
        x[k] = (parent[k] >= 0 ? x[k] - coupling[k] * x[parent[k]] : x[k]) / pivots[k];
      }
      return x;
    },
  };
}

/** Places of the block with parents before children, each one's parent (-1 for roots), and the entry that links them. */
function rooted(owner: string, A: sparse.CsrMatrix, block: Int32Array) {
  const { indptr, indices, values } = A;
  const t = block.length;
  const place = new Int32Array(A.rows).fill(-1);
  for (let k = 0; k < t; k++) place[block[k]] = k;
  const order = new Int32Array(t);
  const parent = new Int32Array(t).fill(-1);
  const coupling = new Float64Array(t);
  const reached = new Uint8Array(t);
  let count = 0;
  for (let root = 0; root < t; root++) {
    if (reached[root] === 1) continue;
    reached[root] = 1;
    order[count++] = root;
    for (let head = count - 1; head < count; head++) {
      const k = order[head];
      const i = block[k];
      for (let p = indptr[i]; p < indptr[i + 1]; p++) {
        const c = place[indices[p]];
        if (c < 0 || c === k || c === parent[k] || values[p] === 0) continue;
        if (reached[c] === 1) {
          throw new ValueError(`${owner}: variables ${i} and ${indices[p]} close a cycle; the block must be a forest`);
        }
        reached[c] = 1;
        parent[c] = k;
        coupling[c] = values[p];
        order[count++] = c;
      }
    }
  }
  return { order, parent, coupling };
}
