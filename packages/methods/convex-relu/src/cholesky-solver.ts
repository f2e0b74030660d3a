import { linalg, tensor } from "@offprint/tensor-core";

/** @internal Solves A x = b many times over for one symmetric positive definite A, without allocating. */
export class CholeskySolver {
  /** L, row-major. */
  private readonly lower: Float64Array;
  /** L^T, row-major, so that both substitutions walk along rows. */
  private readonly upper: Float64Array;
  private readonly reciprocal: Float64Array;

  constructor(
    matrix: Float64Array,
    private readonly size: number,
  ) {
    const factor = linalg.cholesky(tensor(matrix, { shape: [size, size] }));
    this.lower = factor.data() as Float64Array;
    this.upper = new Float64Array(size * size);
    this.reciprocal = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      this.reciprocal[i] = 1 / this.lower[i * size + i];
      for (let j = 0; j <= i; j++) this.upper[j * size + i] = this.lower[i * size + j];
    }
  }

  /** Overwrites b `[size]` by the solution. */
  solve(b: Float64Array): void {
    const { size, lower, upper, reciprocal } = this;
    for (let i = 0; i < size; i++) b[i] = (b[i] - dot(lower, i * size, b, 0, i)) * reciprocal[i];
    for (let i = size - 1; i >= 0; i--) {
      b[i] = (b[i] - dot(upper, i * size + i + 1, b, i + 1, size - i - 1)) * reciprocal[i];
    }
  }
}

function dot(a: Float64Array, p: number, b: Float64Array, q: number, count: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let k = 0;
  for (; k + 4 <= count; k += 4) {
    s0 += a[p + k] * b[q + k];
    s1 += a[p + k + 1] * b[q + k + 1];
    s2 += a[p + k + 2] * b[q + k + 2];
    s3 += a[p + k + 3] * b[q + k + 3];
  }
  for (; k < count; k++) s0 += a[p + k] * b[q + k];
  return s0 + s1 + (s2 + s3);
}
