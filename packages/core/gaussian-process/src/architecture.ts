import {
  checkOptions,
  requireChoice,
  requireFunction,
  requireInteger,
  requirePositive,
  ValueError,
} from "@offprint/tensor-core";
import type { Activation } from "./activation.js";

/** What all infinite networks have. */
export interface WideNetwork {
  /** Default `"relu"`. */
  readonly activation?: Activation;
  /** Variance of weights times their number of inputs, > 0 (default 2). */
  readonly weightVariance?: number;
  /** Variance of biases, > 0 (default 0.01). */
  readonly biasVariance?: number;
  /**
   * Variance of the read-out's weights times their number, > 0: a parameter of its own, and no bias there. By default the
   * read-out has the variances of all layers.
   */
  readonly readoutVariance?: number;
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
    })
  | (WideNetwork & {
      /**
       * A convolution, groups of blocks x + conv(phi(conv(phi(x)))), phi and a linear read-out: a wide residual network
       * without pooling. The first block of a group has a convolution in place of x, too, and the group's stride.
       */
      readonly kind: "wideResidual";
      /** Blocks of a group, an integer >= 1. */
      readonly blocks: number;
      /** One for each group (default 1, 2, 2, 2): every so many pixels are kept. */
      readonly strides?: readonly number[];
      /** Height, width and channels. */
      readonly image: readonly [height: number, width: number, channels: number];
      /** Side of a filter, odd (default 3). */
      readonly filter?: number;
    });

/** @internal Networks of images. */
export type OfImages = Extract<Architecture, { readonly image: unknown }>;

const common = ["kind", "activation", "weightVariance", "biasVariance", "readoutVariance"];
const fields = {
  fullyConnected: ["depth"],
  residual: ["blocks"],
  convolutional: ["depth", "image", "filter", "readout"],
  wideResidual: ["blocks", "strides", "image", "filter"],
} as const;

/** @internal @throws ValueError for what is not an architecture. */
export function checkArchitecture(owner: string, architecture: Architecture): void {
  if (typeof architecture !== "object" || architecture === null) {
    throw new ValueError(
      `${owner}: the architecture is ${String(architecture)}; give { kind: "fullyConnected", depth: 3 }`,
    );
  }
  requireChoice(owner, "kind", architecture.kind ?? null, Object.keys(fields));
  checkOptions(owner, architecture, [...common, ...fields[architecture.kind]]);
  const { kind, activation } = architecture;
  checkActivation(owner, activation);
  for (const name of ["weightVariance", "biasVariance", "readoutVariance"] as const) {
    const variance = architecture[name];
    if (variance !== undefined) requirePositive(owner, name, variance);
  }
  if (kind === "residual" || kind === "wideResidual") {
    requireInteger(owner, "blocks", architecture.blocks, kind === "residual" ? 0 : 1);
  } else {
    requireInteger(owner, "depth", architecture.depth, 1);
  }
  if (kind === "fullyConnected" || kind === "residual") return;
  const { image, filter = 3 } = architecture;
  if (!Array.isArray(image) || image.length !== 3) {
    throw new ValueError(`${owner}: image is ${JSON.stringify(image)}; give [height, width, channels]`);
  }
  for (const side of image) requireInteger(owner, "image", side, 1);
  requireInteger(owner, "filter", filter, 1);
  if (filter % 2 === 0) throw new ValueError(`${owner}: filter is ${filter}; it must be odd, so that it has a middle`);
  if (kind === "convolutional") {
    requireChoice(owner, "readout", architecture.readout, ["flatten", "globalAveragePool"]);
  } else {
    const { strides = [1] } = architecture;
    if (!Array.isArray(strides) || strides.length === 0) {
      throw new ValueError(`${owner}: strides are ${JSON.stringify(strides)}; give one for each group of blocks`);
    }
    for (const stride of strides) requireInteger(owner, "strides", stride, 1);
  }
}

function checkActivation(owner: string, activation: Activation | undefined): void {
  if (activation === undefined || activation === "relu" || activation === "erf") return;
  if (typeof activation !== "object" || activation === null) {
    throw new ValueError(
      `${owner}: activation is ${String(activation)}; give "relu", "erf" or { apply }, a function of tensors`,
    );
  }
  checkOptions(`${owner}: activation`, activation, ["apply", "nodes"], ["apply"]);
  requireFunction(owner, "activation.apply", activation.apply);
  if (activation.nodes !== undefined) requireInteger(owner, "activation.nodes", activation.nodes, 1);
}
