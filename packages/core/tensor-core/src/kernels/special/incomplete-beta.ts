import { betaln } from "./beta.js";
import { stirlingError } from "./gamma.js";
import { log1mexp } from "./log-exp.js";
import { deviance } from "./saddle-point.js";
import { invertTail } from "./tail-inversion.js";

const TINY = 1e-300;

/** `a - (a + b) x` from whichever of `x` and `y = 1 - x` is the smaller and so the better known. */
function distanceToMean(a: number, b: number, x: number, y: number): number {
  return x <= y ? a - (a + b) * x : (a + b) * y - b;
}

/** `x^a y^b / B(a, b)` with `y = 1 - x`, by saddle-point terms (no large logarithms that cancel). */
function prefactor(a: number, b: number, x: number, y: number): number {
  const n = a + b;
  const errors = stirlingError(n) - stirlingError(a) - stirlingError(b);
  const distance = distanceToMean(a, b, x, y);
  // (a / n) b does not overflow where a b would.
  const root = Math.sqrt(((a / n) * b) / (2 * Math.PI));
  return root * Math.exp(errors - deviance(a, n * x, -distance) - deviance(b, n * y, distance));
}

/**
 * I_x(a, b) by the even part of the continued fraction DLMF 8.17.22, whose terms hold the distance to the mean
 * (Didonato and Morris 1992, eq. 12), evaluated by modified Lentz. Best for `x < (a + 1) / (a + b + 2)`.
 */
function fraction(a: number, b: number, x: number, y: number): number {
  const distance = distanceToMean(a, b, x, y);
  let value = (a * (distance + 1)) / (a + 1);
  if (value === 0) value = TINY;
  let c = value;
  let d = 0;
  for (let n = 1; n < 1e6; n++) {
    const odd = a + 2 * n - 1;
    const inner = (n * (b - n) * x) / odd;
    const numerator = (((a + n - 1) * x) / odd) * (a + b + n - 1) * inner;
    const denominator = n + inner + ((a + n) / (odd + 2)) * (distance + 1 + n * (1 + y));
    d = denominator + numerator * d;
    c = denominator + numerator / c;
    if (d === 0) d = TINY;
    if (c === 0) c = TINY;
    d = 1 / d;
    const factor = c * d;
    value *= factor;
    if (Math.abs(factor - 1) < 2e-16) break;
  }
  return prefactor(a, b, x, y) / value;
}

/** I_x(a, b) given both `x` and `y = 1 - x`, so that neither tail loses the digits of the smaller one. */
export function betaincPair(a: number, b: number, x: number, y: number): number {
  if (!(a >= 0 && b >= 0 && x >= 0 && y >= 0) || (a === 0 && b === 0)) return Number.NaN;
  if (a === Number.POSITIVE_INFINITY || b === Number.POSITIVE_INFINITY) return Number.NaN;
  if (x === 0 || b === 0) return x === 0 && a === 0 ? Number.NaN : 0;
  if (y === 0 || a === 0) return 1;
  if (x * (a + b + 2) <= a + 1) return fraction(a, b, x, y);
  const complement = fraction(b, a, y, x);
  // With a small b the value can be small although x is above the mean; the direct fraction still converges there.
  return complement > 0.8 && y > 1e-7 ? fraction(a, b, x, y) : 1 - complement;
}

/**
 * Regularised incomplete beta function I_x(a, b) for `a, b >= 0` and `x` in [0, 1] (`NaN` outside): the distribution
 * function of a beta variable. For the upper tail call `betainc(b, a, 1 - x)`.
 *
 * @see https://dlmf.nist.gov/8.17
 */
export function betainc(a: number, b: number, x: number): number {
  return betaincPair(a, b, x, 1 - x);
}

/** The `x` with I_x(a, b) = `p`, for `a, b > 0` and `p` in [0, 1] (`NaN` outside). */
export function betaincinv(a: number, b: number, p: number): number {
  if (!(a > 0 && b > 0 && p >= 0 && p <= 1)) return Number.NaN;
  if (p === 0 || p === 1) return p;
  if (p <= betainc(a, b, a / (a + b))) return Math.exp(invertLower(a, b, p));
  return -Math.expm1(invertLower(b, a, 1 - p));
}

/** Logarithms of both `x` and `1 - x` at I_x(a, b) = `p`, for `0 < p < 1`: neither underflows nor loses digits. */
export function betaincinvLogs(a: number, b: number, p: number): { logX: number; logY: number } {
  if (p <= betainc(a, b, a / (a + b))) {
    const logX = invertLower(a, b, p);
    return { logX, logY: log1mexp(-logX) };
  }
  const logY = invertLower(b, a, 1 - p);
  return { logX: log1mexp(-logY), logY };
}

/** Logarithm of the `x` with I_x(a, b) = `p`, for `p` at or below the value at the mean. */
function invertLower(a: number, b: number, p: number): number {
  // As x goes to 0, I_x is the pure power x^a / (a B(a, b)).
  const power = (Math.log(p) + Math.log(a) + betaln(a, b)) / a;
  if (power + Math.log1p(b) < -40) return power;
  const mean = Math.log(a / (a + b));
  const slope = (u: number): number => {
    const y = -Math.expm1(u);
    return prefactor(a, b, Math.exp(u), y) / y;
  };
  return invertTail(p, 1, (u) => betaincPair(a, b, Math.exp(u), -Math.expm1(u)), slope, -745, 0, Math.min(power, mean));
}
