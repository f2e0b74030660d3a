import { linalg } from "@offprint/tensor-core";
import type { Desk } from "./desk.js";
import type { DifferenceEstimator } from "./messages.js";

/**
 * @internal The gradient by differences along q orthonormal random directions u_j, from q + 1 queries:
 * (d / q) sum_j (f(z + mu u_j) - f(z)) / mu u_j. The factor d, which Adam does not see, makes its mean the gradient's.
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
  const direction = (j: number) => Float64Array.from({ length: d }, (_, k) => U[k * q + j]);
  const places = Array.from({ length: q }, (_, j) => direction(j).map((u, k) => z[k] + mu * u));
  const [centre, ...values] = await desk.ask([z, ...places]);
  const gradient = new Float64Array(d);
  values.forEach((value, j) => {
    const slope = ((d / q) * (value - centre)) / mu;
    direction(j).forEach((u, k) => {
      gradient[k] += slope * u;
    });
  });
  return gradient;
}
