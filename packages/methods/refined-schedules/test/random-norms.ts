import { random } from "@offprint/tensor-core";

/** Positive numbers of very different size, seeded. */
export function randomNorms(n: number, seed = 1): Float64Array {
  return Float64Array.from(random.rng(seed).normal([n], { dtype: "float64" }).data(), Math.exp);
}
