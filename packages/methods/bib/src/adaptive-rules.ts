import { normalised, runningMean, unbiased } from "@offprint/optim";
import { add, clip, grad, mul, sqrt, square, stopGradient, sub, sum, type Tensor } from "@offprint/tensor-core";

/** Moments of Adam. */
export interface Moments {
  /** Running mean of gradients. */
  readonly first: Tensor;
  /** Running mean of their squares. */
  readonly second: Tensor;
}

/** Adam's moments after a gradient, and its direction `m / (sqrt(v) + 1e-8)` with the bias corrected at step `t`, from 1. */
export function adamDirection(
  g: Tensor,
  { first, second }: Moments,
  t: Tensor,
): { direction: Tensor; moments: Moments } {
  const moments = { first: runningMean(first, g, 0.9), second: runningMean(second, square(g), 0.999) };
  const mean = unbiased(moments.first, 0.9, t);
  const size = sqrt(unbiased(moments.second, 0.999, t));
  return { direction: normalised(mean, size, 1e-8), moments };
}

/** The sum over all but the leading axis. */
export function perDesign(x: Tensor): Tensor {
  return sum(x.reshape([x.shape[0], -1]), 1);
}

/** A number for each design beside arrays of designs. */
export function along(values: Tensor): Tensor {
  return values.reshape([-1, 1, 1]);
}

/** An auxiliary score `[B]` of logits `[B, L, V]`, where derivatives of the outer level are taken exactly; undefined for the first order. */
export type Ahead = ((logits: Tensor) => Tensor) | undefined;

/**
 * d_gamma `[B]`: minus the derivative in gamma of f_aux after a step of `rate` along `gamma g1 + (1 - gamma) g2`. To first order f_aux
 * changes by its present slope q; exactly it is differentiated where the step leads.
 */
export function gammaSlope(
  at: { logits: Tensor; gamma: Tensor; forward: Tensor; backward: Tensor; slope: Tensor },
  rate: number,
  ahead: Ahead,
): Tensor {
  const { logits, gamma, forward, backward, slope } = at;
  if (ahead === undefined) return mul(rate, perDesign(mul(slope, sub(forward, backward))));
  const after = (g: Tensor) =>
    sum(ahead(sub(logits, mul(rate, add(mul(along(g), forward), mul(along(sub(1, g)), backward))))));
  return mul(-1, grad(after)(stopGradient(gamma)));
}

/** How far eta may move. */
export interface RateBounds {
  /** eta_0. */
  readonly base: number;
  /** The step on eta. */
  readonly outerRate: number;
  /** The least eta. */
  readonly least: number;
  /** The largest. */
  readonly most: number;
}

/**
 * eta, `[B]`: `clip(base - outerRate <q, direction>, least, most)`, which is a step on minus the auxiliary score after the step. Exactly
 * it is differentiated there.
 */
export function adaptedRate(
  at: { logits: Tensor; direction: Tensor; slope: Tensor },
  { base, outerRate, least, most }: RateBounds,
  ahead: Ahead,
): Tensor {
  const { logits, direction, slope } = at;
  const falling = perDesign(mul(slope, direction));
  const falls =
    ahead === undefined
      ? falling
      : mul(-1, grad((eta: Tensor) => sum(ahead(sub(logits, mul(along(eta), direction)))))(add(mul(0, falling), base)));
  return clip(sub(base, mul(outerRate, falls)), least, most);
}
