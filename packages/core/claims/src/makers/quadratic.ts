import {
  linalg,
  matmul,
  mul,
  type Rng,
  requireObject,
  type Tensor,
  tensor,
  transpose,
  ValueError,
} from "@offprint/tensor-core";

/**
 * A matrix `[rows, columns]` with orthonormal columns, float64, from the QR factorisation of normal numbers.
 *
 * @throws ValueError when there are more columns than rows
 */
export function orthonormal(rng: Rng, rows: number, columns = rows): Tensor {
  if (!(columns >= 1 && columns <= rows)) {
    throw new ValueError(`orthonormal: ${columns} columns of length ${rows}; there must be between 1 and ${rows}.`);
  }
  return linalg.qr(rng.normal([rows, columns], { dtype: "float64" })).q;
}

/**
 * A symmetric matrix `Q diag(eigenvalues) Q^T` with given eigenvalues and eigenvectors drawn at random, float64.
 *
 * @throws ValueError when there are no eigenvalues or one is not finite
 */
export function withSpectrum(rng: Rng, eigenvalues: ArrayLike<number>): Tensor {
  requireObject("withSpectrum", "rng", rng, "a generator of random.rng(seed)");
  requireObject("withSpectrum", "eigenvalues", eigenvalues, "an array of numbers");
  const values = Float64Array.from(eigenvalues);
  if (values.length === 0 || !values.every(Number.isFinite)) {
    throw new ValueError("withSpectrum: eigenvalues must be at least one finite number.");
  }
  const q = orthonormal(rng, values.length);
  const a = matmul(mul(q, tensor(values)), transpose(q));
  return a.add(transpose(a)).mul(0.5);
}

/** `f(x) = (x - minimizer)^T A (x - minimizer) / 2`. */
export interface Quadratic {
  /** `[n, n]`, symmetric, float64. */
  readonly matrix: Tensor;
  /** `[n]`, where the gradient vanishes. */
  readonly minimizer: Tensor;
  /** The value at `[n]`, a scalar; can be differentiated and compiled. */
  value(x: Tensor): Tensor;
}

/**
 * A quadratic function whose matrix has given eigenvalues; its value at the minimizer is 0. Eigenvectors and minimizer
 * (standard normal) are drawn at random.
 *
 * @throws ValueError when there are no eigenvalues or one is not finite
 */
export function quadratic(rng: Rng, eigenvalues: ArrayLike<number>): Quadratic {
  requireObject("quadratic", "rng", rng, "a generator of random.rng(seed)");
  requireObject("quadratic", "eigenvalues", eigenvalues, "an array of numbers");
  const [vectors, point] = rng.split(2);
  const matrix = withSpectrum(vectors, eigenvalues);
  const minimizer = point.normal([eigenvalues.length], { dtype: "float64" });
  return {
    matrix,
    minimizer,
    value: (x) => {
      const step = x.sub(minimizer);
      return mul(step, matmul(matrix, step)).sum().mul(0.5);
    },
  };
}
