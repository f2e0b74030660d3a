const SPLIT = 134217729; // 2^27 + 1 (Veltkamp)

/**
 * `exp(-x^2 * scale)` with a relative error of a few ulp also where `x^2` is large: the rounding error of the square,
 * which plain evaluation multiplies by the square itself, is put back. `scale` must be a power of two.
 */
export function gaussianExponential(x: number, scale = 1): number {
  const square = x * x;
  if (!(square * scale < 800)) return Number.isNaN(square) ? square : 0;
  const high = SPLIT * x - (SPLIT * x - x);
  const low = x - high;
  const error = high * high - square + 2 * high * low + low * low;
  return Math.exp(-square * scale) * (1 - error * scale);
}

/** `exp(x^2)` to a few ulp; see {@link gaussianExponential}. */
export function growingGaussianExponential(x: number): number {
  const square = x * x;
  if (!(square < 710)) return Number.isNaN(square) ? square : Number.POSITIVE_INFINITY;
  const high = SPLIT * x - (SPLIT * x - x);
  const low = x - high;
  return Math.exp(square) * (1 + (high * high - square + 2 * high * low + low * low));
}
