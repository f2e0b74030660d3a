import { requireObject } from "@offprint/tensor-core";
import { chain } from "../compose.js";
import * as parts from "../parts.js";
import { described, type ImageNetwork, type ImageNetworkOptions, layerChoice } from "./image-network.js";
import { doublyResidualBlock, layersOf, residualBlock } from "./residual-block.js";

/** Global average pool, normalisation, linear layer. */
function tail(features: number, classes: number, linearName: "linear" | "fc") {
  return {
    pool: parts.globalAveragePool,
    bn2: parts.batchNorm(features),
    [linearName]: parts.linear({ inputs: features, outputs: classes }),
  };
}

/**
 * ResNet-20 for 32 x 32 images (any size that two halvings divide): 16, 32, 64 channels, three blocks each, a shortcut
 * around every convolution. 0.27 M weights.
 */
export function resnet20(options: ImageNetworkOptions = {}): ImageNetwork {
  requireObject("resnet20", "options", options, "an object");
  const { classes = 10, channels = 3 } = options;
  const style = { layer: layerChoice("resnet20", options) };
  const network = chain({
    conv1: parts.conv({ inputs: channels, outputs: 16, kernel: 3, padding: 1 }),
    bn1: parts.batchNorm(16),
    act: style.layer.binaryActivations ? parts.hardtanh : parts.relu,
    ...layersOf(doublyResidualBlock, [16, 32, 64], [3, 3, 3], style),
    ...tail(64, classes, "linear"),
  });
  return described("resnet20", { ...options, classes, channels }, network);
}

function cifarResnet(name: string, depths: readonly number[], options: ImageNetworkOptions): ImageNetwork {
  requireObject(name, "options", options, "an object");
  const { classes = 10, channels = 3 } = options;
  const style = { layer: layerChoice(name, options) };
  const network = chain({
    conv1: parts.conv({ inputs: channels, outputs: 64, kernel: 3, padding: 1 }),
    bn1: parts.batchNorm(64),
    ...layersOf(residualBlock, [64, 128, 256, 512], depths, style),
    ...tail(512, classes, "linear"),
  });
  return described(name, { ...options, classes, channels }, network);
}

/** ResNet-18 for 32 x 32 images: 64 to 512 channels, two blocks each. 11.0 M weights. */
export function resnet18(options: ImageNetworkOptions = {}): ImageNetwork {
  return cifarResnet("resnet18", [2, 2, 2, 2], options);
}

/** ResNet-34 for 32 x 32 images. */
export function resnet34(options: ImageNetworkOptions = {}): ImageNetwork {
  return cifarResnet("resnet34", [3, 4, 6, 3], options);
}

/** Initial scale of the normalisations: blocks begin as their shortcuts. */
const FAINT = 1e-8;

function imagenetResnet(name: string, depths: readonly number[], options: ImageNetworkOptions): ImageNetwork {
  requireObject(name, "options", options, "an object");
  const { classes = 1000, channels = 3 } = options;
  const style = { layer: layerChoice(name, options), normScale: FAINT, projected: true };
  const network = chain({
    conv1: parts.conv({ inputs: channels, outputs: 64, kernel: 7, strides: 2, padding: 3 }),
    bn1: parts.batchNorm(64, { scale: FAINT }),
    act: style.layer.binaryActivations ? parts.hardtanh : parts.relu,
    maxpool: parts.maxPool(3, { strides: 2, padding: 1 }),
    ...layersOf(doublyResidualBlock, [64, 128, 256, 512], depths, style),
    ...tail(512, classes, "fc"),
  });
  return described(name, { ...options, classes, channels }, network);
}

/** ResNet-18 for 224 x 224 images, 1000 classes by default; shortcuts around every convolution. */
export function imagenetResnet18(options: ImageNetworkOptions = {}): ImageNetwork {
  return imagenetResnet("imagenetResnet18", [2, 2, 2, 2], options);
}

/** ResNet-34 for 224 x 224 images, 1000 classes by default. */
export function imagenetResnet34(options: ImageNetworkOptions = {}): ImageNetwork {
  return imagenetResnet("imagenetResnet34", [3, 4, 6, 3], options);
}
