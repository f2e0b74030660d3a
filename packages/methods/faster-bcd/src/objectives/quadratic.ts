import { ShapeError, sparse, type TensorLike, ValueError } from "@offprint/tensor-core";
import type { BlockObjective } from "../block-objective.js";
import { type DesignMatrix, designMatrix, type MatrixInput } from "../design-matrix.js";
import { vectorOf } from "../numbers.js";
import { QuadraticState } from "./quadratic-state.js";

/**
 * A convex quadratic, `1/2 x^T A x - c^T x`.
 * @param A `[n, n]` symmetric, positive semidefinite; dense or sparse (a sparse one stays sparse)
 * @param c `[n]`
 * @throws ShapeError, DTypeError, ValueError: not square, not symmetric, a negative diagonal, not finite.
 */
export function quadratic(A: MatrixInput, c: TensorLike): BlockObjective {
  const owner = "quadratic";
  const matrix = designMatrix(owner, "A", A);
  const n = matrix.columns;
  if (matrix.rows !== n) throw new ShapeError(`${owner}: A has shape [${matrix.rows}, ${n}]; it must be square`);
  const system = matrix.csr();
  requireSymmetric(owner, system);
  return quadraticOf(matrix, system, vectorOf(owner, "c", c, { length: n }));
}

/** @internal The same for what is known to be right. */
export function quadraticOf(matrix: DesignMatrix, system: sparse.CsrMatrix, c: Float64Array): BlockObjective {
  const n = c.length;
  const diagonal = sparse.diagonalOf(system);
  const bad = diagonal.findIndex((v) => v < 0);
  if (bad >= 0) {
    throw new ValueError(
      `quadratic: A has ${diagonal[bad]} at [${bad}, ${bad}]; a convex one has no negative diagonal`,
    );
  }
  const gradient = (x: Float64Array): Float64Array => {
    const out = new Float64Array(n);
    matrix.transposed(x, out);
    for (let i = 0; i < n; i++) out[i] -= c[i];
    return out;
  };
  return {
    n,
    quadratic: true,
    lipschitz: diagonal,
    value: (x) => gradient(x).reduce((total, g, i) => total + 0.5 * x[i] * (g - c[i]), 0),
    gradient,
    blockGradient(x, block) {
      const out = new Float64Array(block.length);
      matrix.transposedBlock(x, block, out);
      return out.map((v, k) => v - c[block[k]]);
    },
    blockHessian: (_x, block) => matrix.submatrix(block),
    blockBound: (block) => matrix.submatrix(block),
    absoluteRowSums() {
      const sums = new Float64Array(n);
      for (let i = 0; i < n; i++)
        for (let p = system.indptr[i]; p < system.indptr[i + 1]; p++) sums[i] += Math.abs(system.values[p]);
      return sums;
    },
    boundTimes(block, d, out) {
      const product = matrix.emptyProduct();
      matrix.product(block, d, product);
      out.set(product.values);
    },
    sparseBound: () => system,
    start: (x, memory) => new QuadraticState(matrix, c, x, memory),
  };
}

function requireSymmetric(owner: string, a: sparse.CsrMatrix): void {
  const b = sparse.toCsr(sparse.transpose(a));
  const scale = a.values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const difference = sparse.add(a, sparse.scale(b, -1));
  const bad = difference.values.findIndex((v) => Math.abs(v) > 1e-10 * scale);
  if (bad >= 0) {
    throw new ValueError(
      `${owner}: A is not symmetric, an entry differs from its mirror image by ${difference.values[bad]}; ` +
        "give (A + A^T) / 2, which has the same quadratic form",
    );
  }
}
