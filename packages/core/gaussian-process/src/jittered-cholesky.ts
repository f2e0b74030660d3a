import {
  add,
  ConvergenceError,
  diag,
  diagonal,
  div,
  full,
  greater,
  linalg,
  mean,
  min,
  mul,
  square,
  sum,
  type Tensor,
  ValueError,
  where,
} from "@offprint/tensor-core";

/** What was added to the diagonal, as a part of the sizes: nothing at first, then growing by tens. */
const LEVELS = [0, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4];

/** @internal A Cholesky factor and what had to be added to the diagonal for it. */
export interface JitteredFactor {
  /** `[n, n]` lower triangular. */
  readonly factor: Tensor;
  /** Added to the diagonal, on average. */
  readonly jitter: number;
  /** The part of the sizes that this is. */
  readonly level: number;
}

/**
 * @internal
 * @param sizes - `[n]` What jitter and pivots are measured by: variances in the units of each row. Default the diagonal's mean;
 * in place of a size of 0 too.
 * @throws ConvergenceError where the matrix is not positive definite with the largest jitter.
 */
export function jitteredCholesky(owner: string, K: Tensor, sizes?: Tensor): JitteredFactor {
  const n = K.shape[0];
  if (n === 0) return { factor: K, jitter: 0, level: 0 };
  // A finite number times 0 is 0, anything else NaN.
  if (sum(mul(0, K)).item() !== 0) {
    throw new ValueError(
      `${owner}: the kernel gave covariances that are not finite; give inputs and parameters in units in which they are`,
    );
  }
  const size = mean(diagonal(K)).item();
  const units = sizes === undefined ? full([n], size, "float64") : where(greater(sizes, 0), sizes, size);
  for (const level of LEVELS) {
    try {
      const factor = linalg.cholesky(level === 0 ? K : add(K, diag(mul(units, level))));
      // Pivots of the size of rounding are no better than none.
      const least = min(div(square(diagonal(factor)), units)).item();
      if (least > n * Number.EPSILON) return { factor, jitter: level * mean(units).item(), level };
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
    }
  }
  throw new ConvergenceError(
    `${owner}: the covariance matrix is not positive definite, even with 1e-4 of its diagonal added; give noise, or leave out points that are repeated`,
  );
}
