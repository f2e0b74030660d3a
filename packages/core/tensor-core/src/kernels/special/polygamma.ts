import { evaluateChebyshev } from "./chebyshev.js";
import { DIGAMMA, DIGAMMA_ROOT, DIGAMMA_ROOT_LOW } from "./chebyshev-coefficients.js";
import { gamma, sinPi } from "./gamma.js";

/** `B_2k / (2k)!` for k = 1, 2, ..., 12: the Euler-Maclaurin corrections. */
const BERNOULLI_OVER_FACTORIAL: readonly number[] = [
  1 / 12,
  -1 / 720,
  1 / 30240,
  -1 / 1209600,
  1 / 47900160,
  -691 / 1307674368000,
  1 / 74724249600,
  -3617 / 10670622842880000,
  8.586062056277845e-15,
  -2.174868698558062e-16,
  5.50900282836023e-18,
  -1.395446468581252e-19,
];

const EULER_MACLAURIN_FROM = 12;

/**
 * Hurwitz zeta function `sum over k >= 0 of (k + q)^-s` for `s > 1`, `q > 0`, by Euler-Maclaurin summation
 * (DLMF 25.11.28).
 *
 * @see https://dlmf.nist.gov/25.11
 */
export function hurwitzZeta(s: number, q: number): number {
  if (!(s > 1 && q > 0)) return s === 1 || q === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
  const start = Math.max(EULER_MACLAURIN_FROM, s / 2);
  let head = 0;
  let x = q;
  for (; x < start; x++) {
    const term = x ** -s;
    head += term;
    if (term < head * 1e-18) return head;
  }
  const power = x ** -s;
  if (power === 0) return head + x ** (1 - s) / (s - 1);
  let correction = 0;
  let factor = s / x;
  for (let k = 0; k < BERNOULLI_OVER_FACTORIAL.length; k++) {
    const term = factor * BERNOULLI_OVER_FACTORIAL[k];
    correction += term;
    if (Math.abs(term) < 1e-17) break;
    factor *= ((s + 2 * k + 1) * (s + 2 * k + 2)) / (x * x);
  }
  return head + power * (x / (s - 1) + 0.5 + correction);
}

/** Digamma function, the derivative of `log Gamma`; `NaN` at 0, -1, -2, .... Relative accuracy at the positive root. */
export function digamma(x: number): number {
  if (x <= 0) {
    if (Number.isInteger(x) || x === Number.NEGATIVE_INFINITY) return Number.NaN;
    // Reflection, DLMF 5.5.4, with the argument of the cotangent reduced.
    const r = x - Math.round(x);
    const cotangent = Math.abs(r) === 0.5 ? 0 : Math.PI / Math.tan(Math.PI * r);
    return digamma(-x) - 1 / x - cotangent;
  }
  let shift = 0;
  let y = x;
  if (y < 1) {
    shift = -1 / y;
    y += 1;
  }
  if (y <= 2) {
    const distance = x < 1 ? x - (DIGAMMA_ROOT - 1) : x - DIGAMMA_ROOT;
    return shift + (distance - DIGAMMA_ROOT_LOW) * evaluateChebyshev(DIGAMMA, 2 * y - 3);
  }
  for (; y < 10; y++) shift -= 1 / y;
  if (y === Number.POSITIVE_INFINITY) return y;
  const s = 1 / (y * y);
  const tail = 1 / 132 + s * (-691 / 32760 + s * (1 / 12 + s * (-3617 / 8160)));
  const series = s * (1 / 12 + s * (-1 / 120 + s * (1 / 252 + s * (-1 / 240 + s * tail))));
  return shift + Math.log(y) - 0.5 / y - series;
}

/** Trigamma function, the second derivative of `log Gamma`; infinite at 0, -1, -2, .... */
export function trigamma(x: number): number {
  if (x > 0) return hurwitzZeta(2, x);
  if (Number.isInteger(x)) return Number.POSITIVE_INFINITY;
  const sine = sinPi(x) / Math.PI;
  return 1 / (sine * sine) - hurwitzZeta(2, 1 - x);
}

/**
 * Polygamma function, the derivative of order `order + 1` of `log Gamma` (`order` 0 is digamma).
 * `order` must be a non-negative integer (else `NaN`); infinite or `NaN` at 0, -1, -2, ....
 */
export function polygamma(order: number, x: number): number {
  if (!(Number.isInteger(order) && order >= 0)) return Number.NaN;
  if (order === 0) return digamma(x);
  if (order === 1) return trigamma(x);
  const s = order + 1;
  const sign = s % 2 === 0 ? 1 : -1;
  return sign * gamma(s) * (x > 0 ? hurwitzZeta(s, x) : zetaLeftOfZero(s, x));
}

/** `sum over k >= 0 of (k + x)^-s` for integer `s` and negative `x`: the terms left of zero are a zeta difference. */
function zetaLeftOfZero(s: number, x: number): number {
  if (Number.isInteger(x)) return s % 2 === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
  const below = -x - Math.floor(-x);
  const sign = s % 2 === 0 ? 1 : -1;
  return hurwitzZeta(s, 1 - below) + sign * (hurwitzZeta(s, below) - hurwitzZeta(s, 1 - x));
}
