import {
  add,
  ConvergenceError,
  diag,
  diagonal,
  full,
  linalg,
  mean,
  type Tensor,
  ValueError,
} from "@offprint/tensor-core";

/** What was added to the diagonal, as a part of its mean: nothing at first, then growing by tens. */
const LEVELS = [0, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4];

/** @internal A Cholesky factor and what had to be added to the diagonal for it. */
export interface JitteredFactor {
  /** `[n, n]` lower triangular. */
  readonly factor: Tensor;
  /** Added to the diagonal. */
  readonly jitter: number;
}

/** @internal @throws ConvergenceError where the matrix is not positive definite with the largest jitter. */
export function jitteredCholesky(owner: string, K: Tensor): JitteredFactor {
  const n = K.shape[0];
  if (n === 0) return { factor: K, jitter: 0 };
  const size = mean(diagonal(K)).item();
  if (!Number.isFinite(size)) throw new ValueError(`${owner}: the kernel gave covariances that are not finite`);
  for (const level of LEVELS) {
    const jitter = level * size;
    try {
      const factor = linalg.cholesky(jitter === 0 ? K : add(K, diag(full([n], jitter, "float64"))));
      // Pivots of the size of rounding are no better than none.
      const least = Math.min(...Array.from(diagonal(factor).data()));
      if (least ** 2 > n * Number.EPSILON * size) return { factor, jitter };
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
    }
  }
  throw new ConvergenceError(
    `${owner}: the covariance matrix is not positive definite, even with 1e-4 of its diagonal added; give noise, or leave out points that are repeated`,
  );
}
