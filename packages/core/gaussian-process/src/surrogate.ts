import type { Tensor, TensorLike } from "@offprint/tensor-core";

/** What predicts with an uncertainty, whatever it is made of: `Posterior` is one. */
export interface Predictor {
  /** `[m]` means at the rows of x `[m, d]`. */
  mean(x: TensorLike): Tensor;
  /** `[m]` variances. */
  variance(x: TensorLike): Tensor;
  /** `[m, m]` covariances. */
  covariance(x: TensorLike): Tensor;
}

/** A model that is fitted to observations: so that others than Gaussian processes can take their place. */
export interface Surrogate {
  /** What it says after observations `y` `[n]` at the rows of `x` `[n, d]`. */
  readonly fit: (x: TensorLike, y: TensorLike) => Predictor | Promise<Predictor>;
}
