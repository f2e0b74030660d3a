/** Squares of numbers between these neither overflow nor vanish. */
const LOWEST = 2 ** -200;
const HIGHEST = 2 ** 200;

/**
 * Multiplies an array whose largest magnitude is extreme by a power of two that brings it near 1, and returns that
 * power (1 where nothing was done), so that sums of squares stay in range.
 */
export function unitScale(a: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]!));
  if (largest === 0 || !Number.isFinite(largest) || (largest > LOWEST && largest < HIGHEST)) return 1;
  // At most 2^1000, so that the factor itself is a finite normal number.
  const scale = 2 ** -Math.max(-1000, Math.min(1000, Math.floor(Math.log2(largest))));
  for (let i = 0; i < a.length; i++) a[i]! *= scale;
  return scale;
}

/** Undoes `unitScale`. */
export function fromUnit(a: Float64Array, scale: number): void {
  if (scale !== 1) for (let i = 0; i < a.length; i++) a[i]! /= scale;
}

/** Sums of squares below this have lost digits to underflow; beside a matrix of norm about 1 the vector is zero. */
export const VANISHING = 1e-280;
