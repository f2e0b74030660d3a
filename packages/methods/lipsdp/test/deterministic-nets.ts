import { activation, perceptron } from "@offprint/networks";
import { random } from "@offprint/tensor-core";
import { type ImplicitNetwork, productBound } from "../src/index.js";

/** The sheet's weights: net(dims)[k][i][j] = sin(1.7 (i+1) + 2.3 (j+1) + 0.5 (k+1)(i+1)(j+1)) / sqrt(dims[k]). */
export function net(dims: readonly number[], first = 1.7, second = 2.3): number[][][] {
  return dims
    .slice(1)
    .map((rows, k) =>
      Array.from({ length: rows }, (_, i) =>
        Array.from(
          { length: dims[k] },
          (_, j) =>
            Math.sin(first * (i + 1) + second * (j + 1) + 0.5 * (k + 1) * (i + 1) * (j + 1)) / Math.sqrt(dims[k]),
        ),
      ),
    );
}

/** The layers of such a network. */
export function layers(dims: readonly number[]): { weight: number[][] }[] {
  return net(dims).map((weight) => ({ weight }));
}

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
  const [raw] = net([6, 6]);
  const norm = productBound(perceptron([{ weight: raw }], maxmin));
  const W = raw.map((row) => row.map((value) => (0.6 * value) / norm));
  return { kind: "implicit", W, U: net([4, 6], 0.9)[0], C: net([6, 2], 1.7, 1.1)[0], activation: maxmin };
}
