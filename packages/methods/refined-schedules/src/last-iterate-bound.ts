import { readNorms, readSteps, requireDistance, requireSameLength } from "./argument-checks.js";
import { suffixSums } from "./suffix-sums.js";

/** The guarantee of a schedule, and how it changes with each step size. */
export interface LastIterateBound {
  /** `B(eta)`: the expected distance of `f(x_T)` from the minimum is at most this. */
  readonly value: number;
  /** Derivative by each step size, `[T]`. */
  readonly gradient: Float64Array;
}

/**
 * What SGD with any positive step sizes guarantees of its last iterate on a convex function (part F):
 *
 * `B(eta) = (D^2 + I_1) / (2 S_1) + 1/2 sum_{k<T} eta_k I_k / (S_k S_{k+1})`, with the tails
 * `S_k = sum_{t>=k} eta_t` and `I_k = sum_{t>=k} eta_t^2 G_t^2`.
 *
 * Value and gradient take `O(T)`. The last step size matters, though it does not move `x_T`.
 *
 * @param stepSizes - `eta_t > 0`, `[T]`, absolute: units of `D` and `G` matter.
 * @param norms - `G_t >= 0`, `[T]`.
 * @param distance - `D > 0`, from the first iterate to a minimiser.
 * @throws ShapeError where the lengths differ; ValueError.
 */
export function lastIterateBound(
  stepSizes: ArrayLike<number>,
  norms: ArrayLike<number>,
  distance: number,
): LastIterateBound {
  const eta = readSteps("lastIterateBound", "stepSizes", stepSizes);
  const g = readNorms("lastIterateBound", norms);
  requireSameLength("lastIterateBound", "stepSizes", eta, g);
  requireDistance("lastIterateBound", distance);
  const gradient = new Float64Array(eta.length);
  return { value: evaluateBound(eta, g, distance, gradient), gradient };
}

/** `B`, writing its gradient; the arguments are as they should be. */
export function evaluateBound(eta: Float64Array, g: Float64Array, distance: number, gradient: Float64Array): number {
  const last = eta.length - 1;
  const S = suffixSums(eta);
  const I = suffixSums(eta.map((step, t) => (step * g[t]) ** 2));
  let value = (distance ** 2 + I[0]) / (2 * S[0]);
  // Sums over k <= t of the derivatives of B by S_k and by I_k; every eta_t is part of the tails up to its own.
  let byS = -value / S[0];
  let byI = 1 / (2 * S[0]);
  for (let t = 0; t <= last; t++) {
    let own = 0;
    let carry = 0;
    if (t < last) {
      const product = S[t] * S[t + 1];
      const term = (0.5 * eta[t] * I[t]) / product;
      value += term;
      byS -= term / S[t];
      byI += (0.5 * eta[t]) / product;
      own = (0.5 * I[t]) / product;
      carry = term / S[t + 1];
    }
    gradient[t] = byS + 2 * eta[t] * g[t] ** 2 * byI + own;
    byS -= carry;
  }
  return value;
}
