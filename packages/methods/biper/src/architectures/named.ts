import { FormatError } from "@offprint/tensor-core";
import { ruleNames } from "../rule-names.js";
import type { ImageNetwork, ImageNetworkOptions, NetworkDescription } from "./image-network.js";
import { imagenetResnet18, imagenetResnet34, resnet18, resnet20, resnet34 } from "./resnets.js";
import { smallNetwork } from "./small-network.js";
import { vggSmall } from "./vgg-small.js";

/** The networks of this package by name. */
export const imageNetworks: Readonly<Record<string, (options?: ImageNetworkOptions) => ImageNetwork>> = {
  smallNetwork,
  resnet20,
  resnet18,
  resnet34,
  vggSmall,
  imagenetResnet18,
  imagenetResnet34,
};

/**
 * The network that a description is of.
 * @throws FormatError for a description that names nothing of this package.
 */
export function networkFrom(description: NetworkDescription): ImageNetwork {
  const { architecture, rule, omega, ...rest } = description;
  if (!Object.hasOwn(imageNetworks, architecture) || !Object.hasOwn(ruleNames, rule)) {
    throw new FormatError(
      `networkFrom: the file describes "${architecture}" with weights "${rule}"; there are ` +
        `${Object.keys(imageNetworks).join(", ")} with ${Object.keys(ruleNames).join(", ")}`,
    );
  }
  return imageNetworks[architecture]({ ...rest, weights: ruleNames[rule](omega) });
}
