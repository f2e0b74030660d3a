import type { Tensor } from "@offprint/tensor-core";
import type { Geometry } from "../geometry.js";
import type { PackedWeights } from "./bits.js";

/** A value per channel: float64 while steps are being fused, float32 in a packed model. */
export type ChannelValues = Float32Array | Float64Array;

/** A binary layer, ready to run. */
export interface PackedLayer {
  /** Which part this is. */
  readonly kind: "binary";
  /** Path in the network: `layer1.0.conv1`. */
  readonly name: string;
  /** One bit per weight. */
  readonly weights: PackedWeights;
  /** Where the windows lie. */
  readonly geometry: Geometry;
  /** Whether activations are one bit too; else the packed weights meet real activations. */
  readonly binaryActivations: boolean;
  /** Frequency of the square wave that the bits come from; null for other rules. */
  readonly omega: number | null;
  /** `[outputs]`, what the integer dot products are multiplied by. */
  readonly scale: ChannelValues;
  /** `[outputs]`, what is then added. */
  readonly shift: ChannelValues;
  /** Whether the result is clamped to [-1, 1]. */
  readonly clamp: boolean;
  /** What comes outside the image: 0, or -1 or 1 for networks that were trained so. */
  readonly padValue: PadValue;
}

/** What a binary convolution sees outside the image. */
export type PadValue = -1 | 0 | 1;

/** A normalisation with fixed statistics: `scale x + shift` per channel. */
export interface AffinePart {
  /** Which part this is. */
  readonly kind: "affine";
  /** `[channels]`. */
  readonly scale: ChannelValues;
  /** `[channels]`. */
  readonly shift: ChannelValues;
}

/** A convolution with real weights. */
export interface ConvPart {
  /** Which part this is. */
  readonly kind: "conv";
  /** `[outputs, inputs / groups, height, width]`. */
  readonly weight: Tensor;
  /** `[outputs]`, or null. */
  readonly bias: Tensor | null;
  /** Where the windows lie. */
  readonly geometry: Geometry;
}

/** A linear layer with real weights. */
export interface LinearPart {
  /** Which part this is. */
  readonly kind: "linear";
  /** `[inputs, outputs]`. */
  readonly weight: Tensor;
  /** `[outputs]`, or null. */
  readonly bias: Tensor | null;
}

/** A pooling over windows. */
export interface PoolPart {
  /** Which part this is. */
  readonly kind: "maxPool" | "averagePool";
  /** Extent of the window. */
  readonly kernel: number;
  /** Steps of the window. */
  readonly strides: number;
  /** Added on each side. */
  readonly padding: number;
}

/** An operation without parameters. */
export interface PlainPart {
  /** Which one. */
  readonly kind: "hardtanh" | "relu" | "globalAveragePool" | "flatten";
}

/** Channels of zeros on both sides. */
export interface PadChannelsPart {
  /** Which part this is. */
  readonly kind: "padChannels";
  /** Channels in front, and as many behind. */
  readonly channels: number;
}

/** The sum of two branches. */
export interface ResidualPart {
  /** Which part this is. */
  readonly kind: "residual";
  /** First branch. */
  readonly body: readonly PackedPart[];
  /** Second branch; empty for the input itself. */
  readonly shortcut: readonly PackedPart[];
  /** Whether the sum is clamped to [-1, 1]. */
  readonly clamp?: boolean;
}

/** Anything else: runs as it is, and has no place in a file. */
export interface FunctionPart {
  /** Which part this is. */
  readonly kind: "function";
  /** Path in the network. */
  readonly name: string;
  /** What it computes. */
  readonly apply: (x: Tensor) => Tensor;
}

/** One step of inference with packed weights. */
export type PackedPart =
  | PackedLayer
  | AffinePart
  | ConvPart
  | LinearPart
  | PoolPart
  | PlainPart
  | PadChannelsPart
  | ResidualPart
  | FunctionPart;
