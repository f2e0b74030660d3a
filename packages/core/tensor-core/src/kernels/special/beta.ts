import { lgamma, stirlingError } from "./gamma.js";

const HALF_LOG_TWO_PI = 0.9189385332046728;

/** `lgamma(b) - lgamma(a + b)` for `b >= 10`, the large parts cancelled on paper. */
function lgammaRatio(a: number, b: number): number {
  const sum = a + b;
  return -(b - 0.5) * Math.log1p(a / b) - a * (Math.log(sum) - 1) + (stirlingError(b) - stirlingError(sum));
}

/** Logarithm of the beta function `Gamma(a) Gamma(b) / Gamma(a + b)` for positive `a` and `b` (`NaN` otherwise). */
export function betaln(a: number, b: number): number {
  const small = Math.min(a, b);
  const large = Math.max(a, b);
  if (!(small > 0)) return small === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
  if (large < 10) return lgamma(small) + (lgamma(large) - lgamma(small + large));
  if (small < 10) return lgamma(small) + lgammaRatio(small, large);
  const ratio = small / large;
  const logs = -(large - 0.5) * Math.log1p(ratio) + small * (Math.log(ratio) - Math.log1p(ratio));
  const errors = stirlingError(small) + stirlingError(large) - stirlingError(small + large);
  return logs - 0.5 * Math.log(small) + HALF_LOG_TWO_PI + errors;
}
