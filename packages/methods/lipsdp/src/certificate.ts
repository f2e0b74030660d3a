import type { NormPair } from "./product-bound.js";
import type { Multipliers } from "./quadratic-constraint.js";

/**
 * A proof of a bound that needs no solver to be checked: the multipliers, and for `l2` the number rho with `L^2 = rho`,
 * for `linf-l1` the diagonals mu `[inputs]` and delta `[outputs]` with `L^2 = sum mu * sum delta`.
 */
export interface Certificate {
  /** Norms of the bound. */
  readonly norm: NormPair;
  /** One of each kind per neuron group. */
  readonly multipliers: Multipliers;
  /**
   * Whether the inequality is meant on the increments that keep what the activations preserve, with lambda alone
   * (feed-forward networks). Default false: on all increments.
   */
  readonly eliminated?: boolean;
  /** For `l2`. */
  readonly rho?: number;
  /** For `linf-l1`, `[inputs]`. */
  readonly mu?: Float64Array;
  /** For `linf-l1`, `[outputs]`. */
  readonly delta?: Float64Array;
}

/** @internal The bound that a certificate claims, rounded upwards. */
export function claimedBound({ norm, rho, mu, delta }: Certificate): number {
  if (norm === "l2") return Math.sqrt(rho as number) * (1 + 1e-15);
  const total = (x: Float64Array): number => x.reduce((sum, value) => sum + value, 0) * (1 + 2e-16 * (x.length + 1));
  return Math.sqrt(total(mu as Float64Array) * total(delta as Float64Array)) * (1 + 1e-15);
}
