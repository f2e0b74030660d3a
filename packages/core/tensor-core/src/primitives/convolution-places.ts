/*
 * What a compiler needs to know to compute convolutions without matrices of patches: where operands need zeros around
 * them so that nothing outside of them is read, and whether vectors along the channels pay.
 */
import { byteSize, type DType } from "../dtype.js";
import { type Shape, sizeOf } from "../shape.js";
import type { ConvInputGradParams, ConvParams } from "./convolution.js";

/** More terms of a sum would take too much memory, beside their factors in a panel. */
const MOST_TERMS = 1 << 18;

/**
 * Whether so many channels of results fill vectors in each group, their sums have not too many terms, and the other
 * axes, the rows, are enough for the factors that are put in order for them.
 */
export function suitsVectors(
  channels: number,
  rows: Shape,
  terms: Shape,
  { groups }: ConvParams,
  dtype: DType,
): boolean {
  const each = channels / groups;
  const count = sizeOf(terms);
  return each * byteSize(dtype) >= 16 && 2 * sizeOf(rows) >= each && count > 0 && count <= MOST_TERMS;
}

/** How many places before and after those of g the gradient in the input reads: they count as zeros. */
export function missingPlaces(
  places: Shape,
  kernel: Shape,
  { strides, dilation, padding, inputSpatial }: ConvInputGradParams,
): [low: number, high: number][] {
  return places.map((n, i) => {
    const first = Math.ceil((padding[i][0] - dilation[i] * (kernel[i] - 1)) / strides[i]);
    const last = Math.floor((inputSpatial[i] - 1 + padding[i][0]) / strides[i]);
    return [Math.max(0, -first), Math.max(0, last + 1 - n)];
  });
}
