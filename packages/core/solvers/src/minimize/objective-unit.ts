import { maxNorm } from "../linear/vector-arithmetic.js";
import type { Evaluated } from "./search-space.js";

/** Gradients in this range have squares, and products of a few of these, that are numbers. */
const [LEAST, MOST] = [2 ** -250, 2 ** 250];
/** What values may come to in the unit of a small gradient. */
const LARGEST_VALUE = 2 ** 1000;

/**
 * @internal The unit in which an objective is minimised: 1, or where the squares of its first gradient are too large or
 * too small the power of two at its largest entry, which rounds nothing.
 */
export function objectiveUnit({ value, gradient }: Evaluated): number {
  const largest = maxNorm(gradient);
  if (largest === 0 || (largest >= LEAST && largest <= MOST)) return 1;
  return 2 ** Math.floor(Math.log2(Math.max(largest, Math.abs(value) / LARGEST_VALUE, Number.MIN_VALUE)));
}

/** @internal An evaluation in another unit. */
export function inUnit({ value, gradient }: Evaluated, unit: number): Evaluated {
  return unit === 1 ? { value, gradient } : { value: value / unit, gradient: gradient.map((g) => g / unit) };
}

/** @internal A gradient as it was before {@link inUnit}. */
export function withoutUnit(gradient: Float64Array, unit: number): Float64Array {
  return unit === 1 ? gradient : gradient.map((g) => g * unit);
}
