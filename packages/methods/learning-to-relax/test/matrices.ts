import { sparse, type Tensor, tensor } from "@offprint/tensor-core";

/** Largest difference of two arrays. */
export function farthest(x: ArrayLike<number>, y: ArrayLike<number>): number {
  if (x.length !== y.length) return Infinity;
  return Array.from(x).reduce((m, v, i) => Math.max(m, Math.abs(v - y[i]!)), 0);
}

/** The strictly lower triangle of a sparse matrix, dense. */
export function strictLower(a: sparse.SparseMatrix): Tensor {
  const [rows, columns] = a.shape;
  const values = sparse.toDense(a).map((v, k) => (k % columns < Math.floor(k / columns) ? v : 0));
  return tensor(values, { shape: [rows, columns] });
}
