import type { NetworkPart } from "../network-part.js";
import type { WeightRule } from "../weight-rules.js";

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

/** The part of the options that goes to every binary layer. */
export function layerChoice({ omega, weights, binaryActivations = true }: ImageNetworkOptions): LayerChoice {
  return { binaryActivations, ...(omega !== undefined && { omega }), ...(weights && { weights }) };
}

/** A network for images `[batch, channels, height, width]` that gives logits `[batch, classes]`. */
export type ImageNetwork = NetworkPart<any, any>;
