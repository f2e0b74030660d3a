import { abs, linalg, matmul, max, sum, type Tensor, transpose } from "@offprint/tensor-core";
import type { ExpPolynomial } from "./exp-polynomial.js";
import { type Projected, type ProjectionName, projectionNames, type ReadAdapter, type ReadHead } from "./head.js";
import type { UpstreamKind } from "./softmax-chain.js";

/** Errors that are certain not to be exceeded, in the largest entry. */
export interface GradientBound {
  /** Of the gradient by W_Q, W_K, W_V. */
  readonly weights: Readonly<Record<ProjectionName, number>>;
  /** Of the gradient by B; null without an adapter. */
  readonly b: Readonly<Record<ProjectionName, number | null>>;
  /** Of the gradient by A; null without an adapter. */
  readonly a: Readonly<Record<ProjectionName, number | null>>;
  /** The largest of those that are trained: of all adapters, or of the weights where there is no adapter. */
  readonly largest: number;
}

/** Every entry of f is known up to this part of it: 2 epsilon / (1 - epsilon), rounding included. */
export function weightError(polynomial: ExpPolynomial, length: number, features: number, dtype: string): number {
  const { coefficients, degree, range, relativeError } = polynomial;
  const unit = dtype === "float32" ? 2 ** -24 : 2 ** -53;
  let size = 0;
  for (let k = degree; k >= 0; k--) size = size * range + Math.abs(coefficients[k]);
  // To first order: P(q . k) as a sum of products whose absolute values sum to `size`, over exp >= e^-R; sums over L.
  const rounding = unit * ((features + 2 * degree + 8) * size * Math.exp(range) + length);
  const epsilon = relativeError + rounding;
  return epsilon < 1 ? (2 * epsilon) / (1 - epsilon) : Infinity;
}

const largestOf = (x: Tensor) => max(abs(x)).item();

/** Euclidean norms of rows, whose squares need not be in the range of numbers. */
export function rowNorms(x: Tensor): Tensor {
  return linalg.norm(x, { axis: 1 });
}

/**
 * Bounds of the approximate gradient, from the approximate c alone and in O(L D) time. With v = max ||V_i|| and
 * |f~ - f| <= delta f, f~ >= 0, row sums 1:
 *
 *     |p~_ji - p_ji| <= f_ji e_j,  e_j = delta v (3 ||c~_j|| + 2 v)   for a target, whose c has an error itself,
 *                                  e_j = 3 delta v ||G_j||            for a gradient from above
 */
export function gradientBound(
  head: ReadHead,
  { q, k, v }: Projected,
  /** `||c_j||` of every row. */
  c: Tensor,
  kind: UpstreamKind,
  delta: number,
): GradientBound {
  const { x, beta, projections } = head;
  const longest = max(rowNorms(v)).item();
  const own = kind === "target" ? 2 * longest : 0;
  const e = c
    .mul(3)
    .add(own)
    .mul(delta * longest);
  const perColumn = max(matmul(transpose(abs(x)), e)).item();
  const valueError = c.add(kind === "target" ? longest : 0).mul(delta);
  const weights = {
    q: beta * perColumn * largestOf(k),
    k: beta * largestOf(x) * largestOf(q) * sum(e).item(),
    v: largestOf(x) * sum(valueError).item(),
  };
  const b: Record<ProjectionName, number | null> = { q: null, k: null, v: null };
  const a: Record<ProjectionName, number | null> = { q: null, k: null, v: null };
  let adapted: number | undefined;
  for (const name of projectionNames) {
    const { adapter } = projections[name];
    if (adapter === undefined) continue;
    const [errorB, errorA] = adapterErrors(adapter, weights[name]);
    b[name] = errorB;
    a[name] = errorA;
    adapted = Math.max(adapted ?? 0, errorB, errorA);
  }
  return { weights, b, a, largest: adapted ?? Math.max(weights.q, weights.k, weights.v) };
}

/** `scale err(dW) A^T` and `scale B^T err(dW)`, entry by entry at most. */
function adapterErrors({ a, b, scale }: ReadAdapter, error: number): [b: number, a: number] {
  return [scale * error * max(sum(abs(a), 1)).item(), scale * error * max(sum(abs(b), 0)).item()];
}
