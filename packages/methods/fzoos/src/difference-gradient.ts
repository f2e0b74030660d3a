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
  const directions = Array.from({ length: q }, (_, j) => z.map((__, k) => U[k * q + j]));
  const places = directions.map((direction) => z.map((v, k) => v + mu * direction[k]));
  const [centre, ...values] = await desk.ask([z, ...places]);
  const gradient = new Float64Array(d);
  values.forEach((value, j) => {
    const slope = ((d / q) * (value - centre)) / mu;
    for (let k = 0; k < d; k++) gradient[k] += slope * directions[j][k];
  });
  return gradient;
}
