import { activation, perceptron } from "@offprint/networks";
import { random } from "@offprint/tensor-core";
import { deterministicWeights } from "../claims/method.js";
import { type ImplicitNetwork, productBound } from "../src/index.js";

/** Layers with weights N(0, 1) / sqrt(fan-in). */
export function randomLayers(dims: readonly number[], seed: number): { weight: number[][] }[] {
  const rng = random.rng(seed);
  return dims.slice(1).map((rows, k) => ({
    weight: rng.normal([rows, dims[k]], { std: 1 / Math.sqrt(dims[k]), dtype: "float64" }).toArray() as number[][],
  }));
}

/** -G^T */
export function negativeTranspose(G: number[][]): number[][] {
  return G[0].map((_, j) => G.map((row) => -row[j]));
}

/** The sheet's deep equilibrium model. */
export function deepEquilibrium(): ImplicitNetwork {
  const maxmin = activation("maxmin");
  const [raw] = deterministicWeights([6, 6]);
  const norm = productBound(perceptron([{ weight: raw }], maxmin));
  const W = raw.map((row) => row.map((value) => (0.6 * value) / norm));
  return {
    kind: "implicit",
    W,
    U: deterministicWeights([4, 6], 0.9)[0],
    C: deterministicWeights([6, 2], 1.7, 1.1)[0],
    activation: maxmin,
  };
}
