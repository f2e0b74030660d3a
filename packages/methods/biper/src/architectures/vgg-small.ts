import { type Initializer, initializers } from "@offprint/nn";
import { requireInteger, requireObject } from "@offprint/tensor-core";
import { binaryConv } from "../binary-convolution.js";
import { chain } from "../compose.js";
import type { PartLike } from "../network-part.js";
import * as parts from "../parts.js";
import { described, type ImageNetwork, type ImageNetworkOptions, layerChoice } from "./image-network.js";

/** Normal with variance 2 / (kernel size * outputs). */
const fanOutNormal: Initializer = (rng, shape, _, dtype) =>
  rng.normal(shape, { std: Math.sqrt(2 / (9 * shape[0])), dtype });

/**
 * VGG-Small for 32 x 32 images (`side` for others, a multiple of 8): convolutions of 128, 128, 256, 256, 512 and 512
 * channels, the first real, a 2 x 2 pool between convolution and normalisation of every second. 4.66 M weights.
 */
export function vggSmall(options: ImageNetworkOptions & { side?: number } = {}): ImageNetwork {
  requireObject("vggSmall", "options", options, "an object");
  const { classes = 10, channels = 3, side = 32, binaryActivations = true } = options;
  const layer = layerChoice("vggSmall", options, ["side"]);
  requireInteger("vggSmall", "side", side, 8);
  const widths = [128, 128, 256, 256, 512, 512];
  const named: Record<string, PartLike> = {};
  widths.forEach((outputs, k) => {
    const shape = { inputs: k === 0 ? channels : widths[k - 1], outputs, kernel: 3, padding: 1 };
    const how = { ...shape, weightInit: fanOutNormal };
    named[`conv${k}`] = k === 0 ? parts.conv(how) : binaryConv({ ...how, ...layer });
    if (k % 2 === 1) named[`pool${k}`] = parts.maxPool(2);
    named[`bn${k}`] = parts.batchNorm(outputs);
    named[`act${k}`] = binaryActivations ? parts.hardtanh : parts.relu;
  });
  const features = 512 * Math.floor(side / 8) ** 2;
  const weightInit = initializers.normal(0.01);
  named["flatten"] = parts.flatten;
  named["fc"] = parts.linear({ inputs: features, outputs: classes, weightInit, biasInit: initializers.zeros });
  return described("vggSmall", { ...options, classes, channels, side }, chain(named));
}
