import { evaluateChebyshev, evaluatePolynomial } from "./chebyshev.js";
import { ERF_SMALL, ERFCX } from "./chebyshev-coefficients.js";
import { gaussianExponential, growingGaussianExponential } from "./gaussian-exponential.js";

const ERFCX_SCALE = 3.75;

/** erfcx for `x >= 0`: the map of Shepherd and Laframboise (Math. Comp. 36, 1981) makes it smooth on one interval. */
function erfcxPositive(x: number): number {
  if (x > 1e150) return 1 / Math.sqrt(Math.PI) / x;
  const t = (x - ERFCX_SCALE) / (x + ERFCX_SCALE);
  return evaluateChebyshev(ERFCX, t) / (1 + 2 * x);
}

/** Error function `2 / sqrt(pi) * integral of exp(-t^2) from 0 to x`. */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size < 1) return x * evaluatePolynomial(ERF_SMALL, x * x);
  if (size > 6) return Math.sign(x);
  const tail = gaussianExponential(size) * erfcxPositive(size);
  return x > 0 ? 1 - tail : tail - 1;
}

/** Complementary error function `1 - erf(x)`, with full relative accuracy in the upper tail (zero above 27.3). */
export function erfc(x: number): number {
  if (x < 0.5) return 1 - erf(x);
  if (x > 27.5) return 0;
  return gaussianExponential(x) * erfcxPositive(x);
}

/** Scaled complementary error function `exp(x^2) erfc(x)`; infinite below about -26.6. */
export function erfcx(x: number): number {
  if (x >= 0) return erfcxPositive(x);
  return 2 * growingGaussianExponential(x) - erfcxPositive(-x);
}
