import { type Rng, requireNonNegative } from "@offprint/tensor-core";

/** The random end of STEER: uniform within `width` of `t1`. @see Ghosh et al. 2020. */
export function steerEnd(rng: Rng, t1: number, width: number): number {
  requireNonNegative("steerEnd", "width", width);
  return t1 + width * (2 * rng.uniform([], { dtype: "float64" }).item() - 1);
}
