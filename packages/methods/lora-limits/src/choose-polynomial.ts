import { max, mean, NonFiniteError, sub, ValueError } from "@offprint/tensor-core";
import { type ExpPolynomial, expPolynomial, MOST_RANGE, type PolynomialKind } from "./exp-polynomial.js";
import { rowNorms } from "./gradient-bound.js";
import type { Projected } from "./head.js";
import { featureCount } from "./monomial-features.js";
import { NormExceededError } from "./norm-exceeded-error.js";

/** Error of an adapter's gradient that is allowed unless said otherwise. */
export const DEFAULT_TOLERANCE = 1e-6;

const DEFAULT_MOST_FEATURES = 20_000;

/** The options that decide the polynomial. */
interface PolynomialOptions {
  readonly tolerance?: number;
  readonly epsilon?: number;
  readonly degree?: number;
  readonly kind?: PolynomialKind;
  readonly range?: number;
  readonly maxFeatures?: number;
}

/** R, L and d. */
interface HeadSize {
  readonly range: number;
  readonly length: number;
  readonly width: number;
}

/** Weights do not change when all keys move by the same vector: every score of a query moves by one number, whichever keys it sees. */
export function centred(projected: Projected, center: boolean): Projected {
  return center ? { ...projected, k: sub(projected.k, mean(projected.k, 0)) } : projected;
}

/** R: what scores may reach, by the norms of queries and keys. */
export function scoreRange({ q, k }: Projected, beta: number): number {
  return beta * max(rowNorms(q)).item() * max(rowNorms(k)).item();
}

/** R, or the range that was given, which must hold the scores. */
export function chooseRange(owner: string, projected: Projected, beta: number, options: PolynomialOptions): number {
  const needed = scoreRange(projected, beta);
  if (!Number.isFinite(needed)) throw new NonFiniteError(`${owner}: queries or keys left the range of numbers`);
  const { range = needed, degree } = options;
  if (needed <= range * (1 + 1e-12)) return range;
  const kind = options.kind === undefined ? {} : { kind: options.kind };
  let neededDegree: number | undefined;
  if (needed <= MOST_RANGE && degree !== undefined) {
    const error = expPolynomial(range, { degree, ...kind }).relativeError;
    if (error > 0 && error < 1) neededDegree = expPolynomial(needed, { epsilon: error, ...kind }).degree;
  }
  throw new NormExceededError(
    `${owner}: scores may reach ${needed} and range is ${range}; leave range out, or give ${needed}` +
      (neededDegree === undefined ? "" : ` and degree ${neededDegree}`),
    { range: needed, ...(neededDegree !== undefined && { neededDegree }) },
  );
}

/**
 * The polynomial to take.
 * @param unitBound The gradient's certified error for delta = 1, where the polynomial is chosen by what it costs and by
 * `tolerance`: then undefined stands for the exact gradient.
 */
export function choosePolynomial(owner: string, size: HeadSize, options: PolynomialOptions): ExpPolynomial;
export function choosePolynomial(
  owner: string,
  size: HeadSize,
  options: PolynomialOptions,
  unitBound: (() => number) | undefined,
): ExpPolynomial | undefined;
export function choosePolynomial(
  owner: string,
  { range, length, width }: HeadSize,
  options: PolynomialOptions,
  unitBound?: () => number,
): ExpPolynomial | undefined {
  const { tolerance = DEFAULT_TOLERANCE, degree, maxFeatures = DEFAULT_MOST_FEATURES, kind } = options;
  let { epsilon } = options;
  if (unitBound !== undefined) {
    if (range > MOST_RANGE) return undefined;
    if (epsilon === undefined && degree === undefined) {
      // delta = 2 epsilon / (1 - epsilon) <= 4 epsilon, with room for rounding.
      epsilon = Math.min(0.5, tolerance / (5 * unitBound()));
      if (!(epsilon > 1e-15)) return undefined;
    }
  }
  const polynomial = expPolynomial(range, {
    ...(kind !== undefined && { kind }),
    ...(degree !== undefined ? { degree } : epsilon !== undefined && { epsilon }),
  });
  const features = featureCount(width, polynomial.degree);
  if (unitBound !== undefined && (features > maxFeatures || features * width >= length)) return undefined;
  if (features > maxFeatures) {
    throw new ValueError(
      `${owner}: degree ${polynomial.degree} in ${width} dimensions has ${features} features, and maxFeatures is ` +
        `${maxFeatures}; allow a larger error, or take the exact gradient`,
    );
  }
  return polynomial;
}
