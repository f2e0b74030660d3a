import {
  asTensor,
  concatenate,
  mul,
  ones,
  requireFinite,
  requireInteger,
  requireObject,
  ShapeError,
  slice,
  type Tensor,
  type TensorLike,
  tensor,
  transpose,
} from "@offprint/tensor-core";
import type { ExpPolynomial } from "./exp-polynomial.js";

/** The k_1 = C(d + g, g) features of a row: a monomial for every multiset of at most g of its d coordinates. */
export function featureCount(dimensions: number, degree: number): number {
  requireInteger("featureCount", "dimensions", dimensions, 0);
  requireInteger("featureCount", "degree", degree, 0);
  let count = 1;
  for (let k = 1; k <= degree; k++) count = (count * (dimensions + k)) / k;
  return Math.round(count);
}

/**
 * All monomials of the columns of `x`, `[d, rows]`, up to a degree: `[k_1, rows]`, degree by degree. Those of a degree
 * whose largest coordinate is at most i come before the others, so that the next degree's are a leading part of them
 * times coordinate i.
 */
export function monomials(x: Tensor, degree: number): Tensor {
  const [d, rows] = x.shape;
  const coordinates = Array.from({ length: d }, (_, i) => slice(x, [{ start: i, stop: i + 1 }]));
  let level = ones([1, rows], x.dtype);
  const levels = [level];
  for (let k = 1; k <= degree; k++) {
    // Multisets of size k - 1 of the coordinates 0 to i are the first of their degree.
    level = concatenate(coordinates.map((one, i) => mul(slice(level, [{ stop: featureCount(i, k - 1) }]), one)));
    levels.push(level);
  }
  return concatenate(levels);
}

/** `sqrt(|a_k| k! / prod mult!)` of every monomial, and the sign of a_k. */
export interface FeatureWeights {
  /** `[k_1]`. */
  readonly scales: Float64Array;
  /** `[k_1]`, of 1 and -1. */
  readonly signs: Float64Array;
}

/** The weights with which monomials of q and k give P(q . k), in the order of `monomials`. */
export function featureWeights(dimensions: number, { coefficients, degree }: ExpPolynomial): FeatureWeights {
  // k! / prod mult! of a multiset is its parent's times k / (multiplicity of the last coordinate).
  interface Level {
    readonly ways: Float64Array;
    readonly last: Int32Array;
    readonly times: Int32Array;
  }
  let level: Level = { ways: Float64Array.of(1), last: Int32Array.of(-1), times: Int32Array.of(0) };
  const count = featureCount(dimensions, degree);
  const scales = new Float64Array(count);
  const signs = new Float64Array(count);
  let at = 0;
  const settle = (ways: Float64Array, k: number) => {
    for (const way of ways) {
      scales[at] = Math.sqrt(Math.abs(coefficients[k]) * way);
      signs[at++] = coefficients[k] < 0 ? -1 : 1;
    }
  };
  settle(level.ways, 0);
  for (let k = 1; k <= degree; k++) {
    const size = featureCount(dimensions - 1, k);
    const next: Level = { ways: new Float64Array(size), last: new Int32Array(size), times: new Int32Array(size) };
    let child = 0;
    for (let i = 0; i < dimensions; i++) {
      const parents = featureCount(i, k - 1);
      for (let parent = 0; parent < parents; parent++, child++) {
        const times = level.last[parent] === i ? level.times[parent] + 1 : 1;
        next.ways[child] = (level.ways[parent] * k) / times;
        next.last[child] = i;
        next.times[child] = times;
      }
    }
    level = next;
    settle(level.ways, k);
  }
  return { scales, signs };
}

/** Features of rows, and the signs that belong between them. */
export interface MonomialFeatures {
  /** phi(x), `[rows, k_1]`. */
  readonly features: Tensor;
  /** sigma, `[k_1]`: `phi(q) diag(sigma) phi(k)^T = P(q k^T)`. */
  readonly signs: Tensor;
}

/**
 * The features phi with `phi(q) diag(sigma) phi(k)^T = P(q k^T)` exactly, for all rows q and k.
 *
 * @param x `[rows, d]`; plain numbers are float64.
 * @throws ShapeError unless `x` is a matrix; ValueError where it or a coefficient is not finite.
 */
export function monomialFeatures(x: TensorLike, polynomial: ExpPolynomial): MonomialFeatures {
  const rows = asTensor(x, dtypeOf(x));
  if (rows.rank !== 2 || rows.shape[1] === 0) {
    throw new ShapeError(`monomialFeatures: x has shape [${rows.shape}]; give [rows, dimensions]`);
  }
  requireFinite("monomialFeatures", "x", rows);
  requireObject("monomialFeatures", "polynomial", polynomial, "what expPolynomial gives");
  requireInteger("monomialFeatures", "the degree of polynomial", polynomial.degree, 0);
  if (polynomial.coefficients?.length !== polynomial.degree + 1) {
    throw new ShapeError(
      `monomialFeatures: polynomial has ${polynomial.coefficients?.length ?? "no"} coefficients for degree ${polynomial.degree}; give ${polynomial.degree + 1}`,
    );
  }
  requireFinite("monomialFeatures", "the list of coefficients", tensor(polynomial.coefficients, { dtype: "float64" }));
  const { scales, signs } = featureWeights(rows.shape[1], polynomial);
  const typed = (values: Float64Array) => tensor(values, { dtype: rows.dtype });
  const features = transpose(monomials(transpose(rows), polynomial.degree));
  return { features: mul(features, typed(scales)), signs: typed(signs) };
}

/** float32 tensors stay float32; everything else is read as float64. */
export function dtypeOf(x: TensorLike): "float32" | "float64" {
  return (x as Partial<Tensor> | null)?.dtype === "float32" ? "float32" : "float64";
}
