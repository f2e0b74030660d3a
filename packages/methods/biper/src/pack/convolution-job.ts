import type { Geometry } from "../geometry.js";
import type { PackedActivations, PackedWeights } from "./bits.js";
import type { ChannelValues, PadValue } from "./packed-part.js";

/** What is done with the integer dot products. */
export interface Finish {
  /** `[outputs]`; with it the result is `scale dot + shift` in float32, else the dot products themselves. */
  readonly scale: ChannelValues;
  /** `[outputs]`. */
  readonly shift: ChannelValues;
  /** Whether the result is clamped to [-1, 1]. */
  readonly clamp: boolean;
  /** Added before clamping, `[batch, outputs, height, width]`. */
  readonly add?: Float32Array;
}

/** Real activations whose signs are to be taken. */
export interface RealActivations {
  /** `[batch, channels, height, width]`. */
  readonly shape: readonly [number, number, number, number];
  /** Row-major. */
  readonly values: Float32Array;
}

/** A binary convolution. */
export interface ConvolutionJob {
  /** Packed, or real: their signs are taken. */
  readonly input: PackedActivations | RealActivations;
  /** One bit each. */
  readonly weights: PackedWeights;
  /** Where the windows lie. */
  readonly geometry: Geometry;
  /** Rows and columns of the result. */
  readonly extents: readonly [number, number];
  /** What lies outside the image. */
  readonly padValue: PadValue;
  /** Null for the dot products as int32. */
  readonly finish: Finish | null;
}

/** Carries out a job: `[batch, outputs, height, width]`, float32 or int32. */
export type ConvolutionEngine = (job: ConvolutionJob) => Float32Array | Int32Array;
