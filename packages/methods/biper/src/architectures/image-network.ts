import { checkOptions, requireInteger } from "@offprint/tensor-core";
import type { NetworkPart } from "../network-part.js";
import { ruleNames } from "../rule-names.js";
import { periodic, type WeightRule } from "../weight-rules.js";

/** Options of every network for images. */
export interface ImageNetworkOptions {
  /** Number of classes. Default 10 (1000 for ImageNet networks). */
  classes?: number;
  /** Channels of the images. Default 3. */
  channels?: number;
  /** Angular frequency of the square waves, > 0. Default 20. */
  omega?: number;
  /** How latent weights are used; takes the place of `omega`. Default `periodic({ omega })`. */
  weights?: WeightRule;
  /** False for the 1w/32a variant: real activations, and ReLU in place of hardtanh. Default true. */
  binaryActivations?: boolean;
}

/** What the constructors of layers need of the options. */
export interface LayerChoice {
  /** Frequency. */
  readonly omega?: number;
  /** Rule. */
  readonly weights?: WeightRule;
  /** Whether activations are binary. */
  readonly binaryActivations: boolean;
}

const names = ["classes", "channels", "omega", "weights", "binaryActivations"];

/**
 * Checks the options of a network; gives those that go to every binary layer.
 * @param more further options that the network has
 * @throws ValueError for an option that is unknown or out of range.
 */
export function layerChoice(owner: string, options: ImageNetworkOptions, more: readonly string[] = []): LayerChoice {
  checkOptions(owner, options, [...names, ...more]);
  const { omega, weights, binaryActivations = true, classes = 1, channels = 1 } = options;
  requireInteger(owner, "classes", classes, 1);
  requireInteger(owner, "channels", channels, 1);
  return { binaryActivations, ...(omega !== undefined && { omega }), ...(weights && { weights }) };
}

/** What a network of this package was made from, as plain data: enough to make it again. */
export interface NetworkDescription {
  /** Name of the function: `resnet20`. */
  readonly architecture: string;
  /** Name of the weight rule: `periodic`. */
  readonly rule: string;
  /** Number of classes. */
  readonly classes: number;
  /** Channels of the images. */
  readonly channels: number;
  /** Frequency, where the rule has one. */
  readonly omega?: number;
  /** Whether activations are binary. */
  readonly binaryActivations: boolean;
  /** Rows and columns of the images, where the network fixes them. */
  readonly side?: number;
}

/** A network for images `[batch, channels, height, width]` that gives logits `[batch, classes]`. */
export interface ImageNetwork extends NetworkPart {
  /** What it was made from; null with a weight rule of your own. */
  readonly description: NetworkDescription | null;
}

/** A network with its description. */
export function described(
  architecture: string,
  made: ImageNetworkOptions & { side?: number },
  network: NetworkPart,
): ImageNetwork {
  const { classes = 10, channels = 3, binaryActivations = true, side } = made;
  const rule = made.weights ?? periodic(made.omega === undefined ? {} : { omega: made.omega });
  const known = rule.name in ruleNames;
  const common = { architecture, rule: rule.name, classes, channels, binaryActivations };
  const more = { ...(rule.omega !== undefined && { omega: rule.omega }), ...(side !== undefined && { side }) };
  return { ...network, description: known ? { ...common, ...more } : null };
}
