import { checkOptions, requireObject, ValueError } from "@offprint/tensor-core";
import { requireFinite } from "./batch-extremes.js";
import { requireEffectiveBatch } from "./effective-batch.js";

/** The line `lambda'_1 = lambda_1 + c / b` through measured top eigenvalues. */
export interface FittedNoise {
  /** `lambda_1` where the line meets `1 / b = 0`, or the given one. */
  readonly lambda1: number;
  /** `c`. */
  readonly slope: number;
  /** `Gamma = c lambda_1`. */
  readonly gamma: number;
  /** Part of the variance over `1 / b` that the line explains. */
  readonly r2: number;
}

/** Top eigenvalues by effective batch. */
export type TopByBatch = readonly { readonly effective: number; readonly top: number }[];

/**
 * Least squares of `lambda'_1(b) = lambda_1 + c / b` through mean top eigenvalues of batches: the default estimate of
 * `Gamma`, and the form that networks follow far below the theorem's threshold.
 *
 * @param options - `lambda1`: the full Hessian's, where it is known; it is fitted where it is left out.
 * @throws ValueError for fewer than two different batches, and for numbers that are none.
 */
export function fitNoise(points: TopByBatch, options: { readonly lambda1?: number } = {}): FittedNoise {
  requireObject("fitNoise", "points", points, "an array");
  checkOptions("fitNoise", options, ["lambda1"]);
  for (const { effective, top } of points) {
    requireEffectiveBatch("fitNoise", effective);
    requireFinite("fitNoise", "top", top);
  }
  const x = points.map(({ effective }) => 1 / effective);
  const y = points.map(({ top }) => top);
  if (new Set(x).size < 2) throw new ValueError("fitNoise: points must have two different batches or more");
  const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
  const [mx, my] = options.lambda1 === undefined ? [mean(x), mean(y)] : [0, options.lambda1];
  const slope = mean(x.map((v, i) => (v - mx) * (y[i] - my))) / mean(x.map((v) => (v - mx) ** 2));
  const lambda1 = my - slope * mx;
  const left = mean(y.map((v, i) => (v - lambda1 - slope * x[i]) ** 2));
  const r2 = 1 - left / mean(y.map((v) => (v - mean(y)) ** 2));
  return { lambda1, slope, gamma: slope * lambda1, r2 };
}
