import {
  add,
  asTensor,
  checkOptions,
  matmul,
  mul,
  requireObject,
  sigmoid,
  softmax,
  type Tensor,
  type TensorLike,
  tensor,
} from "@offprint/tensor-core";
import { activations, type HiddenActivation } from "./hidden-layer.js";
import { type GbnnModel, keptBlocks, requireModel } from "./model.js";

/** An ordinary network with one hidden layer: `link(act(x W1 + b1) W2 + b2)`. */
export interface DenseNetwork {
  /** `[features, units]`, float64. */
  readonly W1: Tensor;
  /** `[units]`. */
  readonly b1: Tensor;
  /** `[units, outputs]`. */
  readonly W2: Tensor;
  /** `[outputs]`. */
  readonly b2: Tensor;
  /** Of the hidden units. */
  readonly activation: HiddenActivation;
  /** Of the outputs. */
  readonly link: "identity" | "sigmoid" | "softmax";
}

/** Options of `toNetwork`. */
export interface NetworkOptions {
  /** Uses the first blocks only, 0 to all of them: a smaller, faster network. Default all. */
  readonly keepBlocks?: number;
  /**
   * Folds the standardisation of the features into the first layer, so that the network takes features in the user's
   * units. Default true; without it the network takes standardised features.
   */
  readonly foldStandardization?: boolean;
}

/**
 * The model as one network: hidden layers side by side, output weights times their steps. With fewer blocks the output
 * bias is that of the kept blocks.
 *
 * @throws ValueError for `keepBlocks` out of 0..T.
 */
export function toNetwork(model: GbnnModel, options: NetworkOptions = {}): DenseNetwork {
  checkOptions("toNetwork", options, ["keepBlocks", "foldStandardization"]);
  requireModel("toNetwork", model);
  const kept = keptBlocks("toNetwork", model, options.keepBlocks);
  const { features: d, units: J, outputs: K, margin } = model;
  const fold = options.foldStandardization ?? true;
  const units = kept * J;
  const W1 = new Float64Array(d * units);
  const b1 = new Float64Array(units);
  const W2 = new Float64Array(units * K);
  const b2 = model.initial.map((value) => margin * value);
  for (let t = 0; t < kept; t++) {
    const { hiddenWeight, hiddenBias, outputWeight, outputBias, step } = model.blocks[t];
    for (let j = 0; j < J; j++) {
      const unit = t * J + j;
      b1[unit] = hiddenBias[j];
      for (let f = 0; f < d; f++) {
        const weight = fold ? hiddenWeight[j * d + f] / model.std[f] : hiddenWeight[j * d + f];
        W1[f * units + unit] = weight;
        if (fold) b1[unit] -= weight * model.mean[f];
      }
      for (let k = 0; k < K; k++) W2[unit * K + k] = margin * step * outputWeight[j * K + k];
    }
    for (let k = 0; k < K; k++) b2[k] += margin * step * outputBias[k];
  }
  return {
    W1: tensor(W1, { shape: [d, units] }),
    b1: tensor(b1),
    W2: tensor(W2, { shape: [units, K] }),
    b2: tensor(b2),
    activation: model.activation,
    link: model.link,
  };
}

/**
 * What the network computes before `link`, `[samples, outputs]`. Traceable: compile it, or write it to an ONNX file.
 *
 * @param x `[samples, features]`.
 */
export function networkLogits(denseNetwork: DenseNetwork, x: TensorLike): Tensor {
  requireObject("networkLogits", "denseNetwork", denseNetwork, "a DenseNetwork");
  const { W1, b1, W2, b2, activation } = denseNetwork;
  const hidden = activations[activation](add(matmul(asTensor(x, Array.isArray(x) ? "float64" : undefined), W1), b1));
  return add(matmul(hidden, W2), b2);
}

/** The network's predictions, `[samples, outputs]`: numbers, or probabilities (of the second class, if there are two). */
export function applyNetwork(network: DenseNetwork, x: TensorLike): Tensor {
  requireObject("applyNetwork", "network", network, "a DenseNetwork");
  const logits = networkLogits(network, x);
  if (network.link === "sigmoid") return sigmoid(logits);
  return network.link === "softmax" ? softmax(logits) : mul(logits, 1);
}
