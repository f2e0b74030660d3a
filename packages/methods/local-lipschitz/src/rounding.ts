/** Unit roundoff of float64. */
const U = 2 ** -53;

/** @internal Smaller than any number that matters, larger than what underflow can hide. */
export const TINY = 1e-290;

/**
 * @internal Relative error of a sum of so many products in whatever order, with room for the roundings of the error bound
 * itself: twice n u / (1 - n u), and sixteen operations beside it.
 */
export const relativeError = (terms: number): number => 2 * (terms + 16) * U;

/** @internal Above `x` by more than a few rounding errors of numbers as large as `scale`. */
export const above = (x: number, scale = Math.abs(x)): number => x + 16 * U * scale + TINY;

/** @internal Below `x`, likewise. */
export const below = (x: number, scale = Math.abs(x)): number => x - 16 * U * scale - TINY;
