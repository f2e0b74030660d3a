import {
  add,
  concatenate,
  matmul,
  type random,
  relu,
  requireObject,
  reshape,
  slice,
  type Tensor,
  tanh,
} from "@offprint/tensor-core";

/** Shape of a network with one output: tanh or relu after every hidden layer, a linear output. */
export interface NetworkShape {
  /** Units of the hidden layers. */
  readonly hidden: readonly number[];
  /** Default `"tanh"`. */
  readonly activation?: "tanh" | "relu";
}

/** A network whose weights are one vector, so that samplers and approximations need know nothing of layers. */
export interface RegressionNetwork {
  /** P, the number of weights. */
  readonly size: number;
  /** Sizes of its layers, inputs first. */
  readonly sizes: readonly number[];
  /** `[P]` uniform in +-1 / sqrt(inputs of the layer), weights and biases. */
  readonly initial: (rng: random.Rng) => Tensor;
  /** `[n]` outputs at inputs `[n, d]`. */
  readonly apply: (weights: Tensor, x: Tensor) => Tensor;
  /** `[n, hidden.at(-1)]` its last hidden layer, after the activation. */
  readonly features: (weights: Tensor, x: Tensor) => Tensor;
  /** Inputs of every layer and what comes out before activation: what Kronecker factors are made of. */
  readonly layers: (weights: Tensor, x: Tensor) => { readonly inputs: Tensor; readonly outputs: Tensor }[];
}

/** A network for d inputs. Each layer's weights `[inputs, outputs]` come first, then its biases. */
export function regressionNetwork(d: number, networkShape: NetworkShape): RegressionNetwork {
  requireObject("regressionNetwork", "networkShape", networkShape, "a NetworkShape");
  const { hidden, activation = "tanh" } = networkShape;

  const sizes = [d, ...hidden, 1];
  const spans: { inputs: number; outputs: number; from: number }[] = [];
  let size = 0;
  for (let l = 0; l + 1 < sizes.length; l++) {
    spans.push({ inputs: sizes[l], outputs: sizes[l + 1], from: size });
    size += (sizes[l] + 1) * sizes[l + 1];
  }
  const phi = activation === "tanh" ? tanh : relu;
  const part = (weights: Tensor, from: number, to: number) => slice(weights, [{ start: from, stop: to }]);
  const linear = (weights: Tensor, x: Tensor, { inputs, outputs, from }: (typeof spans)[number]) => {
    const bias = from + inputs * outputs;
    const W = reshape(part(weights, from, bias), [inputs, outputs]);
    return add(matmul(x, W), part(weights, bias, bias + outputs));
  };
  const activations = (weights: Tensor, x: Tensor) =>
    spans.slice(0, -1).reduce((h, span) => phi(linear(weights, h, span)), x);
  return {
    size,
    sizes,
    initial: (rng) =>
      concatenate(
        spans.map(({ inputs, outputs }) => {
          const bound = 1 / Math.sqrt(inputs);
          return rng.uniform([(inputs + 1) * outputs], { low: -bound, high: bound, dtype: "float64" });
        }),
        0,
      ),
    features: activations,
    apply(weights, x) {
      const out = linear(weights, activations(weights, x), spans[spans.length - 1]);
      return reshape(out, [out.shape[0]]);
    },
    layers(weights, x) {
      let inputs = x;
      return spans.map((span, l) => {
        const outputs = linear(weights, inputs, span);
        const layer = { inputs, outputs };
        if (l < spans.length - 1) inputs = phi(outputs);
        return layer;
      });
    },
  };
}
