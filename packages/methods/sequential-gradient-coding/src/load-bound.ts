import { requireInteger, requireObject } from "@offprint/tensor-core";
import type { BurstyModel } from "./straggler-models.js";

/**
 * The least load of any scheme that finishes every job in time for all (B, W, lambda)-bursty stragglers. M-SGC has it
 * for lambda = n - 1 and n, and is within O(1 / W) of it.
 *
 * @throws ValueError unless 1 <= B < W and 0 <= lambda <= n
 */
export function loadBound(options: BurstyModel & { readonly workers: number }): number {
  requireObject("loadBound", "options", options, "{ burst, window, lambda, workers }");
  const { workers: n, burst: B, window: W, lambda } = options;
  requireInteger("loadBound", "workers", n, 1);
  requireInteger("loadBound", "window", W, 2);
  requireInteger("loadBound", "burst", B, 1, W - 1);
  requireInteger("loadBound", "lambda", lambda, 0, n);
  return (W - 1 + B) / (n * (W - 1) + B * (n - lambda));
}
