import {
  cast,
  checkOptions,
  concatenate,
  div,
  exp,
  matmul,
  max,
  mul,
  onesLike,
  random,
  requireInteger,
  slice,
  square,
  stopGradient,
  sub,
  sum,
  swapAxes,
  type Tensor,
} from "@offprint/tensor-core";
import type { HeadAttention } from "../head-attention.js";

/** Options of `performerHeads`. */
export interface PerformerOptions {
  /** Features of a head. */
  features: number;
  /** m: number of random features. */
  randomFeatures: number;
  /** Of the random directions, which are not trained. Default 0. */
  seed?: number | string;
}

/** The exponents `w^T x - |x|^2 / 2` of the positive random features, `[..., n, m]`. */
function exponents(x: Tensor, directions: Tensor): Tensor {
  const scaled = mul(x, x.shape[x.rank - 1] ** -0.25);
  const half = mul(sum(square(scaled), { axis: -1, keepDims: true }), 0.5);
  return sub(matmul(scaled, cast(directions, x.dtype)), half);
}

/**
 * Performer: softmax attention by positive random features `exp(w^T x - |x|^2 / 2)`, linear in n.
 * @see Choromanski et al., ICLR 2021, arXiv 2009.14794
 */
export function performerHeads(options: PerformerOptions): HeadAttention<null> {
  checkOptions("performerHeads", options, ["features", "randomFeatures", "seed"], ["features", "randomFeatures"]);
  const { features, randomFeatures, seed = 0 } = options;
  requireInteger("performerHeads", "features", features, 1);
  requireInteger("performerHeads", "randomFeatures", randomFeatures, 1);
  const directions = random.rng(seed).normal([features, randomFeatures], { dtype: "float64" });
  return {
    sharedQueryKey: false,
    init: () => null,
    apply(_, { query, key, value }) {
      // A factor of a query's row, or of all keys, cancels: the largest exponent becomes 0 and nothing overflows.
      const ofQuery = exponents(query, directions);
      const ofKey = exponents(key, directions);
      const phiQuery = exp(sub(ofQuery, stopGradient(max(ofQuery, { axis: -1, keepDims: true }))));
      const phiKey = exp(sub(ofKey, stopGradient(max(ofKey, { axis: [-2, -1], keepDims: true }))));
      return normalisedProduct(phiQuery, phiKey, value);
    },
  };
}

/** `phi(Q) (phi(K)^T V) / (phi(Q) phi(K)^T 1)`, from right to left. */
export function normalisedProduct(phiQuery: Tensor, phiKey: Tensor, value: Tensor): Tensor {
  const outputs = value.shape[value.rank - 1];
  const one = onesLike(slice(value, [...value.shape.slice(0, -1).map(() => null), { start: 0, stop: 1 }]));
  const summed = matmul(phiQuery, matmul(swapAxes(phiKey, -1, -2), concatenate([value, one], -1)));
  const lead = summed.shape.slice(0, -1).map(() => null);
  const [y, weight] = [slice(summed, [...lead, { stop: outputs }]), slice(summed, [...lead, { start: outputs }])];
  return div(y, weight);
}
