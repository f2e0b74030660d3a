import { abs, div, matmul, max, mul, type random, type Tensor } from "@offprint/tensor-core";
import type { Head } from "../src/index.js";

/** beta of the experiments with d = 4. */
export const BETA = 1 / 4;
/** d. */
export const WIDTH = 4;
/** D. */
export const DIMENSION = 8;

/** Normal numbers in float64. */
export function draw(rng: random.Rng, shape: readonly number[], deviation = 1): Tensor {
  return mul(rng.normal([...shape], { dtype: "float64" }), deviation);
}

/** A head whose queries and keys have the largest entry B on its tokens, and a target. */
export function scaledHead(rng: random.Rng, length: number, largest: number) {
  const x = draw(rng, [length, DIMENSION]);
  const scaled = () => {
    const weight = draw(rng, [DIMENSION, WIDTH]);
    return mul(div(weight, max(abs(matmul(x, weight)))), largest);
  };
  const head: Head = { q: scaled(), k: scaled(), v: draw(rng, [DIMENSION, WIDTH]), beta: BETA };
  return { x, head, target: draw(rng, [length, WIDTH]) };
}

/** A head with three adapters that have learned something, alpha 3. */
export function adaptedHead(rng: random.Rng, dimension: number, width: number, rank: number): Head {
  const projection = () => ({
    weight: draw(rng, [dimension, width], 0.4),
    b: draw(rng, [dimension, rank], 0.3),
    a: draw(rng, [rank, width], 0.3),
    alpha: 3,
  });
  return { q: projection(), k: projection(), v: projection() };
}
