import { requireObject } from "@offprint/tensor-core";
import { binaryConv } from "../binary-convolution.js";
import { chain, residual } from "../compose.js";
import * as parts from "../parts.js";
import { described, type ImageNetwork, type ImageNetworkOptions, layerChoice } from "./image-network.js";

/**
 * A network for small images, such as digits of 8 x 8 pixels: a real convolution to 16 channels and three binary ones (16,
 * 32 with stride 2, 32), a shortcut around the first and the last of these. 1 channel and 10 classes by default.
 */
export function smallNetwork(options: ImageNetworkOptions = {}): ImageNetwork {
  requireObject("smallNetwork", "options", options, "an object");
  const { classes = 10, channels = 1, binaryActivations = true } = options;
  const layer = layerChoice("smallNetwork", options);
  const act = binaryActivations ? parts.hardtanh : parts.relu;
  const step = (inputs: number, outputs: number, strides: number) =>
    chain({
      conv: binaryConv({ inputs, outputs, kernel: 3, strides, padding: 1, ...layer }),
      bn: parts.batchNorm(outputs),
    });
  const network = chain({
    conv: parts.conv({ inputs: channels, outputs: 16, kernel: 3, padding: 1 }),
    bn: parts.batchNorm(16),
    act,
    layer1: residual(step(16, 16, 1)),
    act1: act,
    layer2: step(16, 32, 2),
    act2: act,
    layer3: residual(step(32, 32, 1)),
    act3: act,
    pool: parts.globalAveragePool,
    norm: parts.batchNorm(32),
    linear: parts.linear({ inputs: 32, outputs: classes }),
  });
  return described("smallNetwork", { ...options, classes, channels }, network);
}
