import { evaluateChebyshev } from "./chebyshev.js";
import { I0E_LARGE, I0E_SMALL, I1E_LARGE, I1E_SMALL } from "./chebyshev-coefficients.js";

/** Scaled modified Bessel function `exp(-|x|) I0(x)`. */
export function besselI0e(x: number): number {
  const size = Math.abs(x);
  if (size <= 8) return evaluateChebyshev(I0E_SMALL, size / 4 - 1);
  return evaluateChebyshev(I0E_LARGE, 16 / size - 1) / Math.sqrt(size);
}

/** Scaled modified Bessel function `exp(-|x|) I1(x)`. */
export function besselI1e(x: number): number {
  const size = Math.abs(x);
  if (size <= 8) return x * evaluateChebyshev(I1E_SMALL, size / 4 - 1);
  return (Math.sign(x) * evaluateChebyshev(I1E_LARGE, 16 / size - 1)) / Math.sqrt(size);
}
