import type { LinearOperator } from "@offprint/solvers";
import type { Rng } from "@offprint/tensor-core";

/** A symmetric matrix `[n, n]` of normal numbers whose eigenvalues fill the semicircle of radius 2. */
export function wigner(rng: Rng, n: number): Float64Array {
  const draws = rng.normal([n, n], { dtype: "float64" }).data();
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) matrix[i * n + j] = matrix[j * n + i] = draws[i * n + j] / Math.sqrt(n);
    matrix[i * n + i] = draws[i * n + i] * Math.sqrt(2 / n);
  }
  return matrix;
}

/**
 * Products with a symmetric matrix whose first entry is raised by `spike`: as the noise has no preferred direction, this
 * is a spike in any direction.
 */
export function withSpike(matrix: Float64Array, n: number, spike = 0): LinearOperator {
  return (x, out) => {
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0, p = i * n; j < n; j++, p++) sum += matrix[p] * x[j];
      out[i] = sum;
    }
    out[0] += spike * x[0];
  };
}
