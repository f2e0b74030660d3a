import { requireInteger, ValueError } from "@offprint/tensor-core";

/**
 * The effective batch size `b = (1/B - 1/N)^-1` of a batch of `batch` samples drawn without replacement from `samples`:
 * a batch Hessian's noise has variance proportional to `1 / b`, none at all where the batch is everything.
 *
 * @param batch - `B`, an integer >= 1.
 * @param samples - `N`, an integer >= `B`; infinite (the default) for a stream of new samples.
 * @throws ValueError for sizes out of range.
 */
export function effectiveBatch(batch: number, samples = Number.POSITIVE_INFINITY): number {
  if (samples !== Number.POSITIVE_INFINITY) requireInteger("effectiveBatch", "samples", samples, 1);
  requireInteger("effectiveBatch", "batch", batch, 1, samples);
  return batch === samples ? Number.POSITIVE_INFINITY : batch / (1 - batch / samples);
}

/** @internal @throws ValueError unless `b` is a number > 0, or infinite. */
export function requireEffectiveBatch(owner: string, effective: number): void {
  if (typeof effective === "number" && effective > 0) return;
  throw new ValueError(`${owner}: effective is ${String(effective)}; it must be a number > 0: effectiveBatch(B, N)`);
}
