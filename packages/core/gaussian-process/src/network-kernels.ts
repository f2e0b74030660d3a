import { expandDims, matmul, mul, reshape, sum, type Tensor, transpose, vmap } from "@offprint/tensor-core";
import { momentsOf } from "./activation.js";
import { type Architecture, checkArchitecture, type OfImages } from "./architecture.js";
import { ofImages } from "./image-networks.js";
import { type Kernel, positive, positiveKernel } from "./kernel.js";
import { symmetricMatrix } from "./own-covariance.js";
import { added, inputLayer, type Layer, Network, type Values } from "./wide-layers.js";

/** The kernel of the functions that an infinitely wide network is before it is trained (NNGP). */
export function nngp(architecture: Architecture): Kernel {
  return wideKernel("nngp", architecture, ({ cross }) => cross);
}

/** The neural tangent kernel: of what an infinitely wide network is trained to by gradient descent. */
export function ntk(architecture: Architecture): Kernel {
  return wideKernel("ntk", architecture, ({ tangent }) => tangent);
}

function wideKernel(owner: string, architecture: Architecture, chosen: (layer: Layer) => Tensor): Kernel {
  checkArchitecture(owner, architecture);
  const { activation = "relu", weightVariance = 2, biasVariance = 0.01, readoutVariance } = architecture;
  const moments = momentsOf(activation);
  const values: Values = {
    weightVariance: positive(owner, "weightVariance", weightVariance),
    biasVariance: positive(owner, "biasVariance", biasVariance),
    ...(readoutVariance === undefined ? {} : { readoutVariance: positive(owner, "readoutVariance", readoutVariance) }),
  };
  const between = (v: Values, x: Tensor, x2: Tensor) => {
    const network = new Network(v, moments);
    return chosen(
      "image" in architecture
        ? ofImages(owner, network, architecture, x, x2)
        : dense(network, architecture, pairsOf(x, x2)),
    );
  };
  const matrix = (v: Values, x: Tensor, x2: Tensor) =>
    x === x2 ? symmetricMatrix((a, b) => between(v, a, b), x) : between(v, x, x2);
  const diagonal = (v: Values, x: Tensor) => {
    if (!("image" in architecture)) {
      const own = squares(x);
      return chosen(dense(new Network(v, moments), architecture, inputLayer(own, own, own)));
    }
    return reshape(vmap((row: Tensor) => between(v, expandDims(row, 0), expandDims(row, 0)))(x), [x.shape[0]]);
  };
  const { readoutVariance: readout } = values;
  if (readout === undefined) return positiveKernel(values, { matrix, diagonal });
  const times = (v: Values, factor: number): Values => ({ ...v, readoutVariance: mul(v.readoutVariance, factor) });
  return positiveKernel(values, { matrix, diagonal, times });
}

const squares = (x: Tensor) => mul(1 / x.shape[1], sum(mul(x, x), 1));

/** All rows of x with all of x2. */
function pairsOf(x: Tensor, x2: Tensor): Layer {
  const cross = mul(1 / x.shape[1], matmul(x, transpose(x2)));
  return inputLayer(expandDims(squares(x), 1), cross, expandDims(squares(x2), 0));
}

/** The output of a network for pairs of inputs, along whatever axes. */
function dense(network: Network, architecture: Exclude<Architecture, OfImages>, inputs: Layer): Layer {
  let layer = network.linear(inputs);
  if (architecture.kind === "fullyConnected") {
    for (let l = 1; l < architecture.depth; l++) layer = network.linear(network.activated(layer));
  } else {
    for (let l = 0; l < architecture.blocks; l++) layer = added(layer, network.linear(network.activated(layer)));
  }
  return network.readout(network.activated(layer));
}
