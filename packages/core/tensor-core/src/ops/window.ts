import { ShapeError, ValueError } from "../errors.js";
import { formatShape, type Shape } from "../shape.js";
import type { Tensor } from "../tensor.js";

/** One number for all spatial axes, or one for each. */
export type PerAxis = number | readonly number[];

/** Zeros around an input: one number for all sides, one for each axis, or `[before, after]` for each axis. */
export type PaddingAmount = number | readonly (number | readonly [before: number, after: number])[];

/** A whole number of at least `least` for each spatial axis. */
export function perAxis(operation: string, name: string, value: PerAxis, rank: number, least: number): number[] {
  const list = typeof value === "number" ? new Array<number>(rank).fill(value) : [...value];
  if (list.length !== rank || !list.every((n) => Number.isInteger(n) && n >= least)) {
    throw new ValueError(
      `${operation}: ${name} is ${JSON.stringify(value)}; give an integer >= ${least}, or ${rank} of them, one for each spatial axis`,
    );
  }
  return list;
}

/** Pairs of zeros before and after for each spatial axis. */
export function paddingPairs(operation: string, value: PaddingAmount, rank: number): [number, number][] {
  const list = typeof value === "number" ? new Array<number>(rank).fill(value) : value;
  const pairs = list.map((entry): [number, number] =>
    typeof entry === "number" ? [entry, entry] : [entry[0], entry[1]],
  );
  if (pairs.length !== rank || !pairs.flat().every((n) => Number.isInteger(n) && n >= 0)) {
    throw new ValueError(
      `${operation}: padding is ${JSON.stringify(value)}; give an integer >= 0, or an integer or [before, after] for each of the ${rank} spatial axes`,
    );
  }
  return pairs;
}

/** Padding that makes ceil(n / stride) places of a kernel. */
export function samePadding(input: Shape, kernel: Shape, strides: Shape, dilation: Shape): [number, number][] {
  return input.map((n, i) => {
    const reach = dilation[i] * (kernel[i] - 1) + 1;
    const total = Math.max(0, (Math.ceil(n / strides[i]) - 1) * strides[i] + reach - n);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  });
}

/** Number of spatial axes of `[n, channels, ...spatial]`. */
export function spatialRank(operation: string, x: Tensor): number {
  if (x.rank < 3 || x.rank > 5) {
    throw new ShapeError(
      `${operation}: the input has shape ${formatShape(x.shape)}; give [batch, channels, ...spatial] with 1 to 3 spatial axes`,
    );
  }
  return x.rank - 2;
}
