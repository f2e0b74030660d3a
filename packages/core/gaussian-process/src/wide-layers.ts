import { add, mul, type Tensor } from "@offprint/tensor-core";
import type { ActivationMoments } from "./activation.js";

/** @internal Covariances of a layer: of the first points, between both, of the second, and the tangent kernel. */
export interface Layer {
  readonly first: Tensor;
  readonly cross: Tensor;
  readonly second: Tensor;
  readonly tangent: Tensor;
}

/** @internal Positive parameters of a network. */
export interface Values {
  readonly [name: string]: Tensor;
  readonly weightVariance: Tensor;
  readonly biasVariance: Tensor;
}

/** @internal Layers of one network. */
export class Network {
  readonly #values: Values;
  readonly #moments: ActivationMoments;

  constructor(values: Values, moments: ActivationMoments) {
    this.#values = values;
    this.#moments = moments;
  }

  /** biasVariance + weightVariance times a covariance. */
  affine(covariance: Tensor): Tensor {
    return add(this.#values.biasVariance, mul(this.#values.weightVariance, covariance));
  }

  /** phi of a layer: covariances, and the tangent kernel with E phi' phi'. */
  activated({ first, cross, second, tangent }: Layer): Layer {
    const { covariance, slopes, variance } = this.#moments;
    return {
      first: variance(first),
      cross: covariance(first, cross, second),
      second: variance(second),
      tangent: mul(tangent, slopes(first, cross, second)),
    };
  }

  /** A linear layer: its own parameters add their covariance to the tangent kernel. */
  linear({ first, cross, second, tangent }: Layer): Layer {
    const next = this.affine(cross);
    const through = mul(this.#values.weightVariance, tangent);
    return { first: this.affine(first), cross: next, second: this.affine(second), tangent: add(next, through) };
  }

  /** The last linear layer; its diagonals are of no use. */
  readout(layer: Layer): Layer {
    const { readoutVariance } = this.#values;
    if (readoutVariance === undefined) return this.linear(layer);
    const cross = mul(readoutVariance, layer.cross);
    return { ...layer, cross, tangent: add(cross, mul(readoutVariance, layer.tangent)) };
  }
}

/** @internal The covariances of inputs, before the first linear layer, which alone makes a tangent kernel. */
export function inputLayer(first: Tensor, cross: Tensor, second: Tensor): Layer {
  return { first, cross, second, tangent: mul(0, cross) };
}

/** @internal The sum of independent layers. */
export function added(a: Layer, b: Layer): Layer {
  return {
    first: add(a.first, b.first),
    cross: add(a.cross, b.cross),
    second: add(a.second, b.second),
    tangent: add(a.tangent, b.tangent),
  };
}
