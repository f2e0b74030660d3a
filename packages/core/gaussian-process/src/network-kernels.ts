import {
  add,
  checkOptions,
  expandDims,
  matmul,
  mean,
  mul,
  pad,
  requireChoice,
  requireInteger,
  reshape,
  ShapeError,
  slice,
  sum,
  type Tensor,
  transpose,
  ValueError,
  vmap,
} from "@offprint/tensor-core";
import { type Activation, type ActivationMoments, momentsOf } from "./activation.js";
import { type Kernel, positive, positiveKernel } from "./kernel.js";

/** What all infinite networks have. */
export interface WideNetwork {
  /** Default `"relu"`. */
  readonly activation?: Activation;
  /** Variance of weights times their number of inputs, > 0 (default 2). */
  readonly weightVariance?: number;
  /** Variance of biases, > 0 (default 0.01). */
  readonly biasVariance?: number;
}

/** An infinitely wide network. Inputs are rows of numbers; those of images are rows of height x width x channels. */
export type Architecture =
  | (WideNetwork & {
      /** Hidden layers one after the other, then a linear read-out. */
      readonly kind: "fullyConnected";
      /** Hidden layers, an integer >= 1. */
      readonly depth: number;
    })
  | (WideNetwork & {
      /** A linear layer, blocks x + W phi(x) + b, and a linear read-out of phi. */
      readonly kind: "residual";
      /** Blocks, an integer >= 0. */
      readonly blocks: number;
    })
  | (WideNetwork & {
      /** Convolutions of images with zeros around them, then a linear read-out. */
      readonly kind: "convolutional";
      /** Convolutions, an integer >= 1. */
      readonly depth: number;
      /** Height, width and channels. */
      readonly image: readonly [height: number, width: number, channels: number];
      /** Side of a filter, odd (default 3). */
      readonly filter?: number;
      /** Reads all positions apart (default), or their mean, whose covariances between all positions cost (h w)^2. */
      readonly readout?: "flatten" | "globalAveragePool";
    });

const common = ["kind", "activation", "weightVariance", "biasVariance"];
const fields = {
  fullyConnected: ["depth"],
  residual: ["blocks"],
  convolutional: ["depth", "image", "filter", "readout"],
} as const;

/** The kernel of the functions that an infinitely wide network is before it is trained (NNGP). */
export function nngp(architecture: Architecture): Kernel {
  return wideKernel("nngp", architecture, ({ cross }) => cross);
}

/** The neural tangent kernel: of what an infinitely wide network is trained to by gradient descent. */
export function ntk(architecture: Architecture): Kernel {
  return wideKernel("ntk", architecture, ({ tangent }) => tangent);
}

/** Covariances of a layer: of the first points, between both, of the second, and the tangent kernel. */
interface Layer {
  readonly first: Tensor;
  readonly cross: Tensor;
  readonly second: Tensor;
  readonly tangent: Tensor;
}

interface Values {
  readonly weightVariance: Tensor;
  readonly biasVariance: Tensor;
  readonly [name: string]: Tensor;
}

function wideKernel(owner: string, architecture: Architecture, chosen: (layer: Layer) => Tensor): Kernel {
  checkArchitecture(owner, architecture);
  const { activation = "relu", weightVariance = 2, biasVariance = 0.01 } = architecture;
  const moments = momentsOf(activation);
  const values: Values = {
    weightVariance: positive(owner, "weightVariance", weightVariance),
    biasVariance: positive(owner, "biasVariance", biasVariance),
  };
  const matrix = (v: Values, x: Tensor, x2: Tensor) => {
    const network = new Network(v, moments);
    return chosen(
      architecture.kind === "convolutional"
        ? convolved(owner, network, architecture, x, x2)
        : dense(network, architecture, x, x2),
    );
  };
  return positiveKernel(values, {
    matrix,
    diagonal: (v, x) =>
      reshape(vmap((row: Tensor) => matrix(v, expandDims(row, 0), expandDims(row, 0)))(x), [x.shape[0]]),
  });
}

function checkArchitecture(owner: string, architecture: Architecture): void {
  if (typeof architecture !== "object" || architecture === null) {
    throw new ValueError(
      `${owner}: the architecture is ${String(architecture)}; give { kind: "fullyConnected", depth: 3 }`,
    );
  }
  requireChoice(owner, "kind", architecture.kind, Object.keys(fields));
  checkOptions(owner, architecture, [...common, ...fields[architecture.kind]]);
  if (architecture.kind === "residual") {
    requireInteger(owner, "blocks", architecture.blocks, 0);
    return;
  }
  requireInteger(owner, "depth", architecture.depth, 1);
  if (architecture.kind === "fullyConnected") return;
  const { image, filter = 3, readout } = architecture;
  for (const side of image) requireInteger(owner, "image", side, 1);
  requireInteger(owner, "filter", filter, 1);
  if (filter % 2 === 0) throw new ValueError(`${owner}: filter is ${filter}; it must be odd, so that it has a middle`);
  requireChoice(owner, "readout", readout, ["flatten", "globalAveragePool"]);
}

/** Layers of one network. */
class Network {
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
}

/** The covariances of inputs, before the first linear layer, which alone makes a tangent kernel. */
function inputLayer(first: Tensor, cross: Tensor, second: Tensor): Layer {
  return { first, cross, second, tangent: mul(0, cross) };
}

function dense(
  network: Network,
  architecture: Exclude<Architecture, { kind: "convolutional" }>,
  x: Tensor,
  x2: Tensor,
): Layer {
  const d = x.shape[1];
  const squares = (v: Tensor) => mul(1 / d, sum(mul(v, v), 1));
  const inputs = inputLayer(
    expandDims(squares(x), 1),
    mul(1 / d, matmul(x, transpose(x2))),
    expandDims(squares(x2), 0),
  );
  let layer = network.linear(inputs);
  if (architecture.kind === "fullyConnected") {
    for (let l = 0; l < architecture.depth; l++) layer = network.linear(network.activated(layer));
    return layer;
  }
  for (let l = 0; l < architecture.blocks; l++) layer = added(layer, network.linear(network.activated(layer)));
  return network.linear(network.activated(layer));
}

function added(a: Layer, b: Layer): Layer {
  return {
    first: add(a.first, b.first),
    cross: add(a.cross, b.cross),
    second: add(a.second, b.second),
    tangent: add(a.tangent, b.tangent),
  };
}

function convolved(
  owner: string,
  network: Network,
  { depth, image, filter = 3, readout = "flatten" }: Extract<Architecture, { kind: "convolutional" }>,
  x: Tensor,
  x2: Tensor,
): Layer {
  const [height, width, channels] = image;
  if (x.shape[1] !== height * width * channels || x2.shape[1] !== x.shape[1]) {
    throw new ShapeError(
      `${owner}: inputs have ${x.shape[1]} numbers; images of [${image}] have ${height * width * channels}`,
    );
  }
  const pooled = readout === "globalAveragePool";
  const pixels = (v: Tensor) => reshape(v, [v.shape[0], height, width, channels]);
  const [a, b] = [pixels(x), pixels(x2)];
  const squares = (v: Tensor) => mul(1 / channels, sum(mul(v, v), 3));
  // Positions of the first and, where all pairs count, of the second points are axes of their own.
  const [first, second] = [squares(a), squares(b)];
  const shapes = pooled
    ? { first: [x.shape[0], 1, height, width, 1, 1], second: [1, x2.shape[0], 1, 1, height, width] }
    : { first: [x.shape[0], 1, height, width], second: [1, x2.shape[0], height, width] };
  const left = reshape(a, [...shapes.first, channels]);
  const right = reshape(b, [...shapes.second, channels]);
  const cross = mul(1 / channels, sum(mul(left, right), -1));
  const patch = (layer: Layer): Layer => ({
    first: patchMean(layer.first, filter, [2, 3]),
    cross: patchMean(layer.cross, filter, [2, 3], pooled ? [4, 5] : undefined),
    second: patchMean(layer.second, filter, pooled ? [4, 5] : [2, 3]),
    tangent: patchMean(layer.tangent, filter, [2, 3], pooled ? [4, 5] : undefined),
  });
  let layer = inputLayer(reshape(first, shapes.first), cross, reshape(second, shapes.second));
  for (let l = 0; l < depth; l++) layer = network.activated(network.linear(patch(layer)));
  const positions = pooled ? [2, 3, 4, 5] : [2, 3];
  const all = (v: Tensor) => mean(v, positions);
  return network.linear({ ...layer, cross: all(layer.cross), tangent: all(layer.tangent) });
}

/** The mean over a filter's places, zeros outside; `together` are axes that are shifted with the others. */
function patchMean(
  x: Tensor,
  filter: number,
  axes: readonly [number, number],
  together?: readonly [number, number],
): Tensor {
  const reach = (filter - 1) / 2;
  const moved = [axes, ...(together === undefined ? [] : [together])];
  const widths = x.shape.map((): [number, number] => [0, 0]);
  for (const pair of moved) for (const axis of pair) widths[axis] = [reach, reach];
  const padded = pad(x, widths);
  const parts: Tensor[] = [];
  for (let i = 0; i < filter; i++) {
    for (let j = 0; j < filter; j++) {
      const window = x.shape.map((extent) => ({ start: 0, stop: extent }));
      for (const [down, across] of moved) {
        window[down] = { start: i, stop: i + x.shape[down] };
        window[across] = { start: j, stop: j + x.shape[across] };
      }
      parts.push(slice(padded, window));
    }
  }
  return mul(
    1 / filter ** 2,
    parts.reduce((sofar, part) => add(sofar, part)),
  );
}
