import { random, type Tensor } from "@offprint/tensor-core";
import { gaussianMixture } from "../src/index.js";

/** A mixture of `k` correlated components in `d` dimensions. */
export function someMixture(seed: number | string, k: number, d: number) {
  const rng = random.rng(seed);
  const root = rng.normal([k, d, d], { dtype: "float64" });
  const covariances = root
    .matmul(root.transpose([0, 2, 1]))
    .div(d)
    .mul(0.4);
  return gaussianMixture({
    means: rng.normal([k, d], { dtype: "float64" }),
    weights: rng.uniform([k], { low: 0.5, high: 2, dtype: "float64" }),
    covariances,
  });
}

/** Standard normal states. */
export function normal(seed: number | string, shape: number[]): Tensor {
  return random.rng(seed).normal(shape, { dtype: "float64" });
}
