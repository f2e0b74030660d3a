import type { NormPair } from "./product-bound.js";

/** @internal How a programme measures inputs and outputs. */
export interface Gain {
  /**
   * Half the cost of the one variable of an input ball `rho |x|^2` (l2, or a box whose weights' proportions are fixed);
   * nothing for a box with a variable `mu_j` for each input.
   */
  readonly ball: number | undefined;
  /** `l2`: |C z|^2; `l1`: a variable delta for each output. */
  readonly output: "l2" | "l1";
}

/** @internal The gain of a pair of norms. */
export function gainOf(norm: NormPair): Gain {
  return norm === "l2" ? { ball: 1, output: "l2" } : { ball: undefined, output: "l1" };
}
