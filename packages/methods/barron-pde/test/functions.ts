import { random } from "@offprint/tensor-core";
import { type Cosine, SparseFourier } from "../src/index.js";

/** Cosines with random frequencies, amplitudes and phases. */
export function randomFunction(seed: string, dimension: number, terms: number, period = 1): SparseFourier {
  const rng = random.rng(seed);
  const values = rng.uniform([terms, dimension + 2], { dtype: "float64" }).data() as Float64Array;
  const at = (j: number, i: number) => values[j * (dimension + 2) + i];
  const cosines = Array.from(
    { length: terms },
    (_, j): Cosine => ({
      k: Array.from({ length: dimension }, (_, i) => Math.floor(7 * at(j, i)) - 3),
      a: at(j, dimension) - 0.4,
      theta: 6 * at(j, dimension + 1),
    }),
  );
  return SparseFourier.cosines(cosines, { dimension, constant: 0.3, period });
}

/** `[m, d]` points. */
export function randomPoints(seed: string, dimension: number, count: number, period = 1) {
  return random.rng(seed).uniform([count, dimension], { dtype: "float64" }).mul(period);
}
