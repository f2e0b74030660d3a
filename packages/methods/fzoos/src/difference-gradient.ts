import { linalg } from "@offprint/tensor-core";
import type { Desk } from "./desk.js";
import type { DifferenceEstimator } from "./messages.js";
import { clipped } from "./unit-box.js";

/**
 * @internal The gradient by differences along q orthonormal random directions u_j, from q + 1 queries:
 * (d / q) sum_j (f(z + mu u_j) - f(z)) / mu u_j. The factor d, which Adam does not see, makes its mean the gradient's.
 * Places beyond the box are asked at its sides, as the authors' functions do.
 */
export async function differenceGradient(
  desk: Desk,
  { directions: q, radius: mu }: DifferenceEstimator,
  z: Float64Array,
  purpose: string,
): Promise<Float64Array> {
  const { d } = desk;
  const gaussian = desk.rng(purpose).normal([d, q], { dtype: "float64" });
  const U = linalg.qr(gaussian).q.data();
  const places = Array.from({ length: q }, (_, j) =>
    clipped(
      desk.settings.bounds,
      z.map((v, k) => v + mu * U[k * q + j]),
    ),
  );
  const [centre, ...values] = await desk.ask([z, ...places]);
  const slopes = values.map((value) => ((d / q) * (value - centre)) / mu);
  return z.map((_, k) => slopes.reduce((sum, slope, j) => sum + slope * U[k * q + j], 0));
}
