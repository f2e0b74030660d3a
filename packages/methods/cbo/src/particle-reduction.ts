import type { Tensor } from "@offprint/tensor-core";

/** @internal Norm of the variances of all coordinates of a swarm `[N, P]`, and the root mean square distance to the mean. */
export function dispersion(particles: Tensor): { readonly variance: number; readonly spread: number } {
  const [n, d] = particles.shape;
  const values = particles.data();
  const means = new Float64Array(d);
  for (let row = 0; row < values.length; row += d) for (let j = 0; j < d; j++) means[j] += values[row + j] / n;
  const variances = new Float64Array(d);
  for (let row = 0; row < values.length; row += d) {
    for (let j = 0; j < d; j++) variances[j] += (values[row + j] - means[j]) ** 2 / n;
  }
  let [square, total] = [0, 0];
  for (const variance of variances) {
    square += variance * variance;
    total += variance;
  }
  return { variance: Math.sqrt(square), spread: Math.sqrt(total) };
}

/**
 * @internal How many particles stay after an epoch: fewer as the variance falls, at most a fifth less, whole batches.
 */
export function reducedCount(n: number, batch: number, variance: number, before: number): number {
  const factor = before === 0 ? 1 : Math.min(1, Math.max(0.8, (0.2 * variance + 0.8 * before) / before));
  // A quotient such as 40.00000000000001 is 40 batches.
  const batches = Math.ceil((n * factor) / batch - 1e-9);
  return Math.min(n, Math.max(batch, 2, batches * batch));
}
