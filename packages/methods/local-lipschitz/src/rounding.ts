import { NonFiniteError } from "@offprint/tensor-core";

/** How bounds are computed. */
export type Precision = "float64" | "float32";

/** Unit roundoff of float64. */
const U = 2 ** -53;

const unitRoundoffs: Readonly<Record<Precision, number>> = { float64: U, float32: 2 ** -24 };

/** @internal What underflow can hide in products of each precision. */
export const underflow: Readonly<Record<Precision, number>> = { float64: 1e-290, float32: 1e-30 };

/** @internal Below these magnitudes numbers lose digits, and may be taken for 0. */
export const smallestNormal: Readonly<Record<Precision, number>> = { float64: 2 ** -1022, float32: 2 ** -126 };

/** @internal Smaller than any number that matters, larger than what underflow can hide. */
export const TINY = underflow.float64;

/**
 * @internal Relative error of a sum of so many products in whatever order, with room for the roundings of the error bound
 * itself: twice n u / (1 - n u), and sixteen operations beside it, the rounding of what enters among them.
 */
export const relativeError = (terms: number, precision: Precision = "float64"): number =>
  2 * (terms + 16) * unitRoundoffs[precision];

/** @internal Above `x` by more than a few rounding errors of numbers as large as `scale`. */
export const above = (x: number, scale = Math.abs(x)): number => x + 16 * U * scale + TINY;

/** @internal Below `x`, likewise. */
export const below = (x: number, scale = Math.abs(x)): number => x - 16 * U * scale - TINY;

/** @internal Whether no number of some is infinite, or none. */
export const areFinite = (...values: readonly Float64Array[]): boolean =>
  values.every((each) => each.every(Number.isFinite));

/** @internal What overflowed says nothing: it must not pass for a bound. @throws NonFiniteError */
export function requireFiniteBounds(...values: readonly Float64Array[]): void {
  if (areFinite(...values)) return;
  throw new NonFiniteError(
    "network: its values or gradients in the box are beyond the largest number of float64; scale its weights down, or take a smaller box",
  );
}
