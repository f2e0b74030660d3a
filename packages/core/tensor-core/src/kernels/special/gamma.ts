import { evaluateChebyshev } from "./chebyshev.js";
import { LGAMMA1P } from "./chebyshev-coefficients.js";

const HALF_LOG_TWO_PI = 0.9189385332046728;
const STIRLING_FROM = 10;

/** Stirling series of `log Gamma(x) - ((x - 1/2) log x - x + log(2 pi) / 2)` (DLMF 5.11.1), for `x >= 10`. */
function stirlingSeries(x: number): number {
  const s = 1 / (x * x);
  const tail = 1 / 1188 + s * (-691 / 360360 + s * (1 / 156 + s * (-3617 / 122400)));
  return (1 / 12 + s * (-1 / 360 + s * (1 / 1260 + s * (-1 / 1680 + s * tail)))) / x;
}

/** `log Gamma(1 + z)` for `0 <= z <= 1`, relative accuracy at both zeros. */
function lgammaUnit(z: number): number {
  return z * (z - 1) * evaluateChebyshev(LGAMMA1P, 2 * z - 1);
}

/** `log Gamma(1 + z)` for `z >= -1/2` with relative accuracy near `z = 0`. */
export function lgamma1p(z: number): number {
  if (z >= 0 && z <= 1) return lgammaUnit(z);
  return z < 0 ? lgammaUnit(z + 1) - Math.log1p(z) : lgamma(1 + z);
}

/** `log Gamma(x)` minus Stirling's main term `(x - 1/2) log x - x + log(2 pi) / 2`, for `x > 0`. */
export function stirlingError(x: number): number {
  if (x >= STIRLING_FROM) return stirlingSeries(x);
  return lgamma(x) - ((x - 0.5) * Math.log(x) - x + HALF_LOG_TWO_PI);
}

/** `sin(pi x)` reduced first, so that it is exact at integers and accurate for large `x`. */
export function sinPi(x: number): number {
  const r = x - 2 * Math.round(x / 2);
  if (Math.abs(r) <= 0.25) return Math.sin(Math.PI * r);
  if (Math.abs(r) <= 0.75) return Math.sign(r) * Math.cos(Math.PI * (0.5 - Math.abs(r)));
  return Math.sin(Math.PI * (Math.sign(r) - r));
}

/**
 * Logarithm of the absolute value of the gamma function. Infinite at 0, -1, -2, ...
 * The relative error is a few ulp for `x > 0`; for negative `x` the absolute error is (there are zeros between poles).
 */
export function lgamma(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x <= 0) {
    if (Number.isInteger(x) || x === Number.NEGATIVE_INFINITY) return Number.POSITIVE_INFINITY;
    if (x > -0.5) return lgamma1p(x) - Math.log(-x);
    // Reflection (DLMF 5.5.3) at -x, which is exact, not at 1 - x.
    return Math.log(Math.PI / Math.abs(x * sinPi(x))) - lgamma(-x);
  }
  if (x < 1) return lgammaUnit(x) - Math.log(x);
  if (x <= 2) return lgammaUnit(x - 1);
  if (x < STIRLING_FROM) {
    if (x < 3) return lgammaUnit(x - 2) + Math.log1p(x - 2);
    let product = 1;
    let y = x;
    while (y > 2) product *= --y;
    return lgammaUnit(y - 1) + Math.log(product);
  }
  if (x > 1e306) return x === Number.POSITIVE_INFINITY ? x : x * (Math.log(x) - 1);
  return (x - 0.5) * Math.log(x) - x + HALF_LOG_TWO_PI + stirlingSeries(x);
}

/** Gamma function; signed infinity at signed zero, `NaN` at negative integers, infinite above 171.6. */
export function gamma(x: number): number {
  if (Number.isNaN(x) || x === Number.POSITIVE_INFINITY) return x;
  if (x === 0) return 1 / x;
  if (x < 0.5) {
    if (x < 0 && (Number.isInteger(x) || x === Number.NEGATIVE_INFINITY)) return Number.NaN;
    if (x > -0.5) return Math.exp(lgamma1p(x)) / x;
    if (x < -184) return 0 / sinPi(x);
    // Reflection (DLMF 5.5.3) at -x, which is exact; Gamma(-x) overflows before Gamma(x) underflows.
    const sine = -x * sinPi(x);
    return x > -170 ? Math.PI / (sine * gamma(-x)) : Math.PI / (sine * gamma(-x - 20)) / fallingProduct(-x, 20);
  }
  if (x > 171.7) return Number.POSITIVE_INFINITY;
  if (x >= 20) {
    const halfPower = x ** (x / 2 - 0.25);
    return 2.5066282746310002 * halfPower * Math.exp(-x) * halfPower * Math.exp(stirlingSeries(x));
  }
  if (Number.isInteger(x)) return fallingProduct(x, x - 1);
  let product = 1;
  let y = x;
  while (y > 2) product *= --y;
  return y < 1 ? Math.exp(lgamma1p(y)) / y : product * Math.exp(lgammaUnit(y - 1));
}

/** `(x - 1) (x - 2) ... (x - count)`. */
function fallingProduct(x: number, count: number): number {
  let product = 1;
  for (let k = 1; k <= count; k++) product *= x - k;
  return product;
}
