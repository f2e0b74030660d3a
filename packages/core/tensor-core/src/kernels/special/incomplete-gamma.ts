import { erfc } from "./erf.js";
import { lgamma1p, stirlingError } from "./gamma.js";
import { log1pmx } from "./log-exp.js";
import { normalQuantile } from "./normal.js";
import { deviance } from "./saddle-point.js";
import { invertTail } from "./tail-inversion.js";

const TINY = 1e-300;
const TEMME_FROM = 1e8;

/** `x^a exp(-x) / Gamma(a + 1)`. */
function prefactor(a: number, x: number): number {
  if (a < 1) return Math.exp(a * Math.log(x) - x - lgamma1p(a));
  return Math.exp(-deviance(a, x, x - a) - stirlingError(a)) / Math.sqrt(2 * Math.PI * a);
}

/** P(a, x) by its power series (DLMF 8.11.4); all terms positive. */
function lowerSeries(a: number, x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= x / (a + k);
    sum += term;
  }
  return prefactor(a, x) * sum;
}

/** Q(a, x) by the continued fraction of DLMF 8.9.2 in its even part (modified Lentz), for `x > a`. */
function upperFraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = 1 / TINY;
  let d = 1 / b;
  let value = d;
  for (let k = 1; k < 1e7; k++) {
    const numerator = k * (a - k);
    b += 2;
    d = b + numerator * d;
    c = b + numerator / c;
    if (d === 0) d = TINY;
    if (c === 0) c = TINY;
    d = 1 / d;
    const factor = c * d;
    value *= factor;
    if (Math.abs(factor - 1) < 1e-16) break;
  }
  return prefactor(a, x) * a * value;
}

/** Q(a, x) for small `a` and `x` about 1 or less, where `1 - P` would cancel. */
function upperSmall(a: number, x: number): number {
  let term = 1;
  let sum = 0;
  for (let k = 1; Math.abs(term) > 1e-18; k++) {
    term *= -x / k;
    sum += term / (a + k);
  }
  const logPower = a * Math.log(x);
  const logGamma = lgamma1p(a);
  return (Math.expm1(logGamma) - Math.expm1(logPower) - a * Math.exp(logPower) * sum) / Math.exp(logGamma);
}

/** Leading terms of Temme's uniform expansion (DLMF 8.12); `upper` +1 for Q, -1 for P. */
function temme(a: number, x: number, upper: 1 | -1): number {
  const halfSquare = -log1pmx((x - a) / a);
  const eta = Math.sign(x - a) * Math.sqrt(2 * halfSquare);
  const c0 = -1 / 3 + eta * (1 / 12 + eta * (-2 / 135 + eta * (1 / 864)));
  const c1 = -1 / 540 + eta * (-1 / 288);
  const correction = (Math.exp(-a * halfSquare) / Math.sqrt(2 * Math.PI * a)) * (c0 + c1 / a);
  return 0.5 * erfc(upper * eta * Math.sqrt(a / 2)) + upper * correction;
}

function valid(a: number, x: number): boolean {
  return a >= 0 && x >= 0 && !(a === 0 && x === 0) && !(a === Number.POSITIVE_INFINITY && x === a);
}

/** The one of P and Q (`upper`) that is not the complement of something; -1 if this region computes the other one. */
function direct(a: number, x: number, upper: boolean): number {
  if (a > TEMME_FROM && Math.abs(x - a) < 1e-2 * a) return temme(a, x, upper ? 1 : -1);
  if (x > 1.1 && x > a) return upper ? upperFraction(a, x) : -1;
  if (upper && a < 1.1 && x < 1.1 && a * Math.log(x) > -1) return upperSmall(a, x);
  return upper ? -1 : lowerSeries(a, x);
}

/**
 * Regularised lower incomplete gamma function P(a, x) for `a, x >= 0` (`NaN` outside): the distribution function at
 * `x` of a gamma variable with shape `a` and scale 1. Relative error about 1e-14, and more where `a` is large and the
 * value small: there it is what the rounding of `x` alone makes, `|x - a|` ulp.
 *
 * @see https://dlmf.nist.gov/8
 */
export function gammainc(a: number, x: number): number {
  if (!valid(a, x)) return Number.NaN;
  if (x === 0 || a === Number.POSITIVE_INFINITY) return 0;
  if (a === 0 || x === Number.POSITIVE_INFINITY) return 1;
  const value = direct(a, x, false);
  return value >= 0 ? value : 1 - direct(a, x, true);
}

/** Regularised upper incomplete gamma function Q(a, x) = 1 - P(a, x), with relative accuracy in the upper tail. */
export function gammaincc(a: number, x: number): number {
  if (!valid(a, x)) return Number.NaN;
  if (x === 0 || a === Number.POSITIVE_INFINITY) return 1;
  if (a === 0 || x === Number.POSITIVE_INFINITY) return 0;
  const value = direct(a, x, true);
  return value >= 0 ? value : 1 - direct(a, x, false);
}

/** The `x` with P(a, x) = `p`, for `a > 0` and `p` in [0, 1] (`NaN` outside). */
export function gammaincinv(a: number, p: number): number {
  if (!(a > 0 && p >= 0 && p <= 1)) return Number.NaN;
  if (p === 0) return 0;
  if (p === 1) return Number.POSITIVE_INFINITY;
  return invert(a, p, p > 0.5 ? 1 - p : p, p > 0.5);
}

/** The `x` with Q(a, x) = `q`, for `a > 0` and `q` in [0, 1] (`NaN` outside). */
export function gammainccinv(a: number, q: number): number {
  if (!(a > 0 && q >= 0 && q <= 1)) return Number.NaN;
  if (q === 0) return Number.POSITIVE_INFINITY;
  if (q === 1) return 0;
  return invert(a, 1 - q, q > 0.5 ? 1 - q : q, q <= 0.5);
}

/** The `x` at which the smaller of the two tails is `tail`; `lower` is the same statement as a value of P. */
function invert(a: number, lower: number, tail: number, upper: boolean): number {
  // As x goes to 0, P is the pure power x^a / Gamma(a + 1).
  const power = (Math.log(lower) + lgamma1p(a)) / a;
  if (power < -40) return Math.exp(power);
  const value = upper ? gammaincc : gammainc;
  const logX = invertTail(
    tail,
    upper ? -1 : 1,
    (u) => value(a, Math.exp(u)),
    (u) => prefactor(a, Math.exp(u)) * a,
    -745,
    710,
    startingPoint(a, power, tail, upper),
  );
  const x = Math.exp(logX);
  // A last step in x itself: the logarithm's absolute error becomes a relative one of x.
  const change = ((value(a, x) - tail) * x) / (prefactor(a, x) * a);
  return Math.abs(change) < 1e-6 * x ? x - (upper ? -change : change) : x;
}

/** Logarithm of a guess: Wilson and Hilferty's cube-root normal approximation, or the leading term of a tail. */
function startingPoint(a: number, power: number, tail: number, upper: boolean): number {
  const z = normalQuantile(tail);
  const root = 1 - 1 / (9 * a) + (upper ? -z : z) / (3 * Math.sqrt(a));
  if (a > 1 && root > 0.1) return Math.log(a) + 3 * Math.log(root);
  return upper ? Math.log(Math.max(-Math.log(tail), a)) : Math.min(power, Math.log(a + 1));
}
