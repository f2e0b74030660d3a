import { type Activation, activation, type FeedForward, perceptron } from "@offprint/networks";
import { random } from "@offprint/tensor-core";

/** A network of normal weights. */
export function randomNetwork(
  seed: number | string,
  dims: readonly number[],
  kind: Parameters<typeof activation>[0] = "relu",
  parameters?: Readonly<Record<string, number>>,
): FeedForward {
  const rng = random.rng(seed);
  const layers = dims.slice(1).map((rows, k) => ({
    weight: rng.normal([rows, dims[k]], { std: 1.3 / Math.sqrt(dims[k]), dtype: "float64" }),
    bias: rng.normal([rows], { std: 0.3, dtype: "float64" }),
  }));
  const chosen: Activation = activation(kind, parameters);
  return perceptron(layers, chosen);
}
