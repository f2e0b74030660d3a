import { random } from "@offprint/tensor-core";

/** Positive numbers of very different size, seeded. */
export function randomNorms(n: number, seed = 1): Float64Array {
  return Float64Array.from(random.rng(seed).normal([n], { dtype: "float64" }).data(), Math.exp);
}

/** Largest difference of two sequences. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  return Math.max(0, ...Array.from(a, (value, i) => Math.abs(value - b[i])));
}
