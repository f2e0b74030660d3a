import type { LinearOperator } from "@offprint/solvers";
import { ShapeError, scatterProduct, sparse, type Tensor, tensor, transpose, ValueError } from "@offprint/tensor-core";

/** A symmetric positive definite matrix, or its product as a function that writes into `out`. */
export type SpdMatrix = sparse.SparseMatrix | LinearOperator;

/** @internal The product with A. @throws ShapeError for a matrix of another order. */
export function productWith(owner: string, a: SpdMatrix, n: number): LinearOperator {
  if (typeof a === "function") return a;
  if (!sparse.isSparseMatrix(a)) throw new ValueError(`${owner}: A must be a sparse matrix or a function`);
  if (a.rows !== n || a.columns !== n) {
    throw new ShapeError(`${owner}: A has shape [${a.shape}] and b ${n} entries; they must be [n, n] and n`);
  }
  const wrong = a.values.findIndex((v) => !Number.isFinite(v));
  if (wrong >= 0) throw new ValueError(`${owner}: A must be finite, got ${a.values[wrong]} at entry ${wrong}`);
  return (x, out) => {
    sparse.multiplyVector(a, x, out);
  };
}

/** @internal 1 for rows of A with entries, 0 for rows of zeros; undefined where there are none of these. */
export function rowsOf(a: SpdMatrix): Float64Array | undefined {
  if (typeof a === "function") return undefined;
  const { indptr, values, rows } = sparse.toCsr(a);
  const kept = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    for (let p = indptr[i]; p < indptr[i + 1]; p++) if (values[p] !== 0) kept[i] = 1;
  }
  return kept.includes(0) ? kept : undefined;
}

/** @throws ValueError where A differs from its transpose by more than rounding. */
export function requireSymmetric(owner: string, a: sparse.SparseMatrix): void {
  const rows = sparse.toCsr(a);
  const turned = sparse.toCsr(sparse.transpose(a));
  const difference = sparse.toCsr(sparse.add(rows, sparse.scale(turned, -1)));
  const largest = rows.values.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  const worst = difference.values.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  if (worst > 1e-12 * largest) {
    throw new ValueError(`${owner}: A differs from its transpose by ${worst}; give a symmetric matrix`);
  }
}

/** A matrix times every row of `x` `[batch, n]`, in operations of tensors: what {@link directionLoss} takes. */
export function tensorProduct(a: sparse.SparseMatrix): (x: Tensor) => Tensor {
  const { rowIndices, columnIndices, values, rows } = sparse.toCoo(a);
  return (x) => {
    const batch = x.shape[0];
    const repeated = tensor(Float64Array.from(values), {
      dtype: x.dtype as "float32" | "float64",
      shape: [values.length, 1],
    });
    const spread = repeated.broadcastTo([values.length, batch]);
    return transpose(scatterProduct(spread, transpose(x), rowIndices, columnIndices, rows));
  };
}
