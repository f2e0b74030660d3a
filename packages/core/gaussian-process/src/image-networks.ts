import { add, mean, mul, pad, reshape, ShapeError, slice, sum, type Tensor } from "@offprint/tensor-core";
import type { OfImages } from "./architecture.js";
import { added, inputLayer, type Layer, type Network } from "./wide-layers.js";

/** @internal The output of a network of images. */
export function ofImages(owner: string, network: Network, architecture: OfImages, x: Tensor, x2: Tensor): Layer {
  const { image, filter = 3 } = architecture;
  const [height, width, channels] = image;
  if (x.shape[1] !== height * width * channels || x2.shape[1] !== x.shape[1]) {
    throw new ShapeError(
      `${owner}: inputs have ${x.shape[1]} numbers; images of [${image}] have ${height * width * channels}`,
    );
  }
  const pooled = architecture.kind === "convolutional" && architecture.readout === "globalAveragePool";
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
  const convolution = (layer: Layer, stride = 1): Layer => {
    const at = (v: Tensor, axes: Pair, together?: Pair) => strided(patchMean(v, filter, axes, together), stride);
    return network.linear({
      first: at(layer.first, [2, 3]),
      cross: at(layer.cross, [2, 3], pooled ? [4, 5] : undefined),
      second: at(layer.second, pooled ? [4, 5] : [2, 3]),
      tangent: at(layer.tangent, [2, 3], pooled ? [4, 5] : undefined),
    });
  };
  let layer = convolution(inputLayer(reshape(first, shapes.first), cross, reshape(second, shapes.second)));
  if (architecture.kind === "convolutional") {
    for (let l = 1; l < architecture.depth; l++) layer = convolution(network.activated(layer));
  } else {
    for (const stride of architecture.strides ?? [1, 2, 2, 2]) {
      for (let block = 0; block < architecture.blocks; block++) {
        const inner = convolution(network.activated(layer), block === 0 ? stride : 1);
        const main = convolution(network.activated(inner));
        layer = added(block === 0 ? convolution(layer, stride) : layer, main);
      }
    }
  }
  layer = network.activated(layer);
  const positions = pooled ? [2, 3, 4, 5] : [2, 3];
  const all = (v: Tensor) => mean(v, positions);
  return network.readout({ ...layer, cross: all(layer.cross), tangent: all(layer.tangent) });
}

type Pair = readonly [number, number];

/** Every so many rows and columns of `[n, m, height, width]`. */
function strided(x: Tensor, stride: number): Tensor {
  return stride === 1 ? x : slice(x, [null, null, { step: stride }, { step: stride }]);
}

/** The mean over a filter's places, zeros outside; `together` are axes that are shifted with the others. */
function patchMean(x: Tensor, filter: number, axes: Pair, together?: Pair): Tensor {
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
