import { sparse } from "@offprint/tensor-core";

/** One number on the diagonal, another beside it on both sides. */
export function tridiagonal(n: number, main: number, side: number): sparse.CsrMatrix {
  const off = new Float64Array(n - 1).fill(side);
  const sides = sparse.add(sparse.diagonal(off, 1), sparse.diagonal(off, -1));
  return sparse.toCsr(sparse.add(sparse.diagonal(new Float64Array(n).fill(main)), sides));
}

/** Second differences in one dimension, with zero beyond: the larger, the worse conditioned. */
export function secondDifferences(n: number): sparse.CsrMatrix {
  return tridiagonal(n, 2, -1);
}

/** Second differences on a square grid. */
export function grid(side: number): sparse.CsrMatrix {
  const eye = sparse.identity(side);
  const line = secondDifferences(side);
  return sparse.toCsr(sparse.add(sparse.kron(line, eye), sparse.kron(eye, line)));
}
