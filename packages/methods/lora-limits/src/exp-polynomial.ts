import {
  checkOptions,
  requireChoice,
  requireInteger,
  requireNonNegative,
  requirePositive,
  ValueError,
} from "@offprint/tensor-core";
import { NormExceededError } from "./norm-exceeded-error.js";

/** How the coefficients are found: by Chebyshev's series on [-R, R], or by Taylor's at 0. */
export type PolynomialKind = "chebyshev" | "taylor";

/** A polynomial P that stands for exp on [-R, R]. */
export interface ExpPolynomial {
  /** Of 1, x, x^2, ...: degree + 1 numbers. */
  readonly coefficients: Float64Array;
  /** g. */
  readonly degree: number;
  /** R, the half-width of the interval. */
  readonly range: number;
  /** epsilon: `|P(x) - exp x| <= epsilon exp x` holds on [-R, R]. */
  readonly relativeError: number;
  /** Where the coefficients come from. */
  readonly kind: PolynomialKind;
}

/** Options of `expPolynomial`: a degree, or the error that decides it. */
export interface ExpPolynomialOptions {
  /** Relative error that is allowed, in (0, 1): the least degree that keeps it is taken. Default 1e-6. */
  readonly epsilon?: number;
  /** g >= 0, instead of `epsilon`. */
  readonly degree?: number;
  /** `"chebyshev"` needs a lower degree for the same error. Default `"chebyshev"`. */
  readonly kind?: PolynomialKind;
}

/** The half-width up to which coefficients of powers keep enough digits in float64. */
export const MOST_RANGE = 10;

/** The half-width up to which exp is a number, and a polynomial of a given degree can be found, good or not. */
const MOST_GIVEN_RANGE = 700;

/** A polynomial of a higher degree has more features than any machine holds. */
const MOST_DEGREE = 60;

/**
 * The polynomial of the lowest degree that is as near to exp on [-R, R] as asked for, with its certified error:
 * `2 e^R sum over k > g of I_k(R)` for Chebyshev's series, `e^R R^(g+1) / (g+1)! / (1 - R / (g + 2))` for Taylor's.
 *
 * @param range R >= 0.
 * @throws NormExceededError for R above 10 without a degree: powers are no good basis there, and above 700 with one; ValueError for options out of
 * range.
 * @example
 * const { degree, relativeError } = expPolynomial(1, { epsilon: 1e-4 }); // 6, 8.2e-6
 */
export function expPolynomial(range: number, options: ExpPolynomialOptions = {}): ExpPolynomial {
  const owner = "expPolynomial";
  checkOptions(owner, options, ["epsilon", "degree", "kind"]);
  const { epsilon = 1e-6, degree, kind = "chebyshev" } = options;
  requireNonNegative(owner, "range", range);
  requireChoice(owner, "kind", kind, ["chebyshev", "taylor"]);
  if (range > MOST_GIVEN_RANGE) {
    throw new NormExceededError(
      `${owner}: scores reach ${range}, whose exp is beyond the range of numbers; scale the activations or take the exact gradient`,
      { range },
    );
  }
  const tail = kind === "taylor" ? taylorError : chebyshevError;
  let g = degree ?? 0;
  if (degree !== undefined) requireInteger(owner, "degree", degree, 0, MOST_DEGREE);
  else {
    if (range > MOST_RANGE) {
      throw new NormExceededError(
        `${owner}: scores reach ${range}; above ${MOST_RANGE} no polynomial in powers holds them: scale the activations ` +
          "or take the exact gradient",
        { range },
      );
    }
    requireEpsilon(owner, epsilon);
    while (tail(range, g) > epsilon) {
      if (++g > MOST_DEGREE) {
        throw new ValueError(`${owner}: no degree up to ${MOST_DEGREE} keeps epsilon ${epsilon}; give a larger one`);
      }
    }
  }
  return {
    coefficients: kind === "taylor" ? taylorCoefficients(g) : chebyshevCoefficients(range, g),
    degree: g,
    range,
    relativeError: tail(range, g),
    kind,
  };
}

/** @throws ValueError for a relative error outside (0, 1). */
export function requireEpsilon(owner: string, epsilon: number): void {
  requirePositive(owner, "epsilon", epsilon);
  if (epsilon >= 1) throw new ValueError(`${owner}: epsilon is ${epsilon}; it must be in (0, 1)`);
}

/**
 * I_k(R) / R^k for k = 0 to count, of the modified Bessel functions, by their series, which has positive terms only: the power is left out,
 * as it leaves the range of numbers where R is small.
 */
function besselOverPower(range: number, count: number): number[] {
  const quarter = (range * range) / 4;
  let first = 1;
  return Array.from({ length: count + 1 }, (_, k) => {
    if (k > 0) first /= 2 * k;
    let term = first;
    let sum = term;
    for (let m = 1; term > sum * 1e-17; m++) {
      term *= quarter / (m * (m + k));
      sum += term;
    }
    return sum;
  });
}

function chebyshevError(range: number, degree: number): number {
  if (range === 0) return 0;
  // Beyond twenty more terms, each is at most R / (2 k) of the one before.
  const terms = 20 + Math.ceil(range);
  const values = besselOverPower(range, degree + terms).map((value, k) => value * range ** k);
  let sum = 0;
  for (let k = degree + terms; k > degree; k--) sum += values[k];
  const ratio = range / (2 * (degree + terms));
  return 2 * Math.exp(range) * (sum + (values[degree + terms] * ratio) / (1 - ratio));
}

function taylorError(range: number, degree: number): number {
  const ratio = range / (degree + 2);
  if (ratio >= 1) return Infinity;
  let term = Math.exp(range);
  for (let k = 1; k <= degree + 1; k++) term *= range / k;
  return term / (1 - ratio);
}

function taylorCoefficients(degree: number): Float64Array {
  const a = new Float64Array(degree + 1).fill(1);
  for (let k = 1; k <= degree; k++) a[k] = a[k - 1] / k;
  return a;
}

/** `I_0(R) + 2 sum I_k(R) T_k(x / R)`, in powers of x. */
function chebyshevCoefficients(range: number, degree: number): Float64Array {
  const a = new Float64Array(degree + 1);
  const weights = besselOverPower(range, degree);
  let before = new Float64Array(degree + 1);
  let now = new Float64Array(degree + 1);
  before[0] = 1;
  if (degree > 0) now[1] = 1;
  a[0] = weights[0];
  for (let k = 1; k <= degree; k++) {
    for (let i = 0; i <= k; i++) a[i] += 2 * weights[k] * now[i] * range ** (k - i);
    const next = new Float64Array(degree + 1);
    for (let i = 0; i <= degree; i++) next[i] = (i > 0 ? 2 * now[i - 1] : 0) - before[i];
    before = now;
    now = next;
  }
  return a;
}
