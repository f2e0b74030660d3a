import type { PaddingAmount, PerAxis, TensorLike } from "@offprint/tensor-core";
import type { Activation } from "./activation.js";

/** `W x + b` on vectors. */
export interface LinearLayer {
  /** Tells the kinds apart. */
  readonly kind: "linear";
  /** `[out, in]` */
  readonly weight: TensorLike;
  /** `[out]`; default 0. */
  readonly bias?: TensorLike;
}

/** A convolution over 1 to 3 spatial axes, the kernel not flipped, with the options of tensor-core's `conv`. */
export interface ConvolutionLayer {
  /** Tells the kinds apart. */
  readonly kind: "convolution";
  /** `[out, in / groups, ...kernel]` */
  readonly weight: TensorLike;
  /** `[out]`; default 0. */
  readonly bias?: TensorLike;
  /** Steps of the kernel. Default 1. */
  readonly strides?: PerAxis;
  /** Zeros around the input. Default 0. */
  readonly padding?: PaddingAmount;
  /** Distance of neighbouring entries of the kernel. Default 1. */
  readonly dilation?: PerAxis;
  /** Parts into which channels are divided. Default 1. */
  readonly groups?: number;
}

/** The mean of each window over 1 to 3 spatial axes, with the options of tensor-core's `averagePool`. */
export interface AveragePoolLayer {
  /** Tells the kinds apart. */
  readonly kind: "averagePool";
  /** Extents of the window. */
  readonly window: PerAxis;
  /** Steps of the window. Default: its extents. */
  readonly strides?: PerAxis;
  /** Zeros around the input. Default 0. */
  readonly padding?: PaddingAmount;
  /** Whether the zeros of the padding count in the mean. Default true. */
  readonly countIncludePad?: boolean;
}

/** `(x - mean) / sqrt(variance + epsilon) scale + shift` along the first axis, as a trained network has it. */
export interface BatchNormLayer {
  /** Tells the kinds apart. */
  readonly kind: "batchNorm";
  /** `[channels]` */
  readonly mean: TensorLike;
  /** `[channels]` */
  readonly variance: TensorLike;
  /** `[channels]`; default 1. */
  readonly scale?: TensorLike;
  /** `[channels]`; default 0. */
  readonly shift?: TensorLike;
  /** Default 1e-5. */
  readonly epsilon?: number;
}

/** The values of a sample as one vector, row-major. */
export interface FlattenLayer {
  /** Tells the kinds apart. */
  readonly kind: "flatten";
}

/** A layer of a feed-forward network; samples are vectors or `[channels, ...spatial]`. */
export type Layer = LinearLayer | ConvolutionLayer | AveragePoolLayer | BatchNormLayer | FlattenLayer | Activation;

/** `weight x + bias`, weight `[out, in]`, bias `[out]`. */
export function linear(weight: TensorLike, bias?: TensorLike): LinearLayer {
  return { kind: "linear", weight, ...(bias === undefined ? {} : { bias }) };
}

/** A convolution with kernels `[out, in / groups, ...kernel]`. */
export function convolution(
  weight: TensorLike,
  options: Omit<ConvolutionLayer, "kind" | "weight"> = {},
): ConvolutionLayer {
  return { kind: "convolution", weight, ...options };
}

/** Means of windows. */
export function averagePool(
  window: PerAxis,
  options: Omit<AveragePoolLayer, "kind" | "window"> = {},
): AveragePoolLayer {
  return { kind: "averagePool", window, ...options };
}

/** Batch normalisation by statistics that are fixed. */
export function batchNorm(statistics: Omit<BatchNormLayer, "kind">): BatchNormLayer {
  return { kind: "batchNorm", ...statistics };
}

/** A sample as one vector. */
export function flatten(): FlattenLayer {
  return { kind: "flatten" };
}
