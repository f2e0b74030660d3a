import { requireObject, ValueError } from "@offprint/tensor-core";

/** A distribution over arms. */
export interface TsallisDistribution {
  /** `[arms]` probabilities, all positive, with sum 1. */
  readonly probabilities: Float64Array;
  /** The normaliser x < min(cumulative) / scale. */
  readonly x: number;
}

/**
 * The distribution of Tsallis-INF (Zimmert and Seldin 2021) in round `t`: p_i = 4 / (eta (k_i / scale - x))^2 with
 * eta = 2 / sqrt(t) and x such that they sum to 1.
 *
 * With g_i = k_i / scale - min(k) / scale and w = eta (min(k) / scale - x) / 2 it reads p_i = (eta g_i / 2 + w)^-2, which
 * depends on differences only. The root w lies in [1, sqrt(d)]; from 1, where the sum is at least 1, Newton's steps
 * approach it monotonically.
 *
 * @param cumulative - `[d]` importance-weighted sums of losses, finite.
 * @param scale - unit of the losses, > 0.
 * @param t - round, from 1.
 * @throws ValueError for arguments out of range.
 */
export function tsallisProbabilities(cumulative: ArrayLike<number>, scale: number, t: number): TsallisDistribution {
  requireObject("tsallisProbabilities", "cumulative", cumulative, "an array of numbers");
  const d = cumulative.length;
  if (d === 0) throw new ValueError("tsallisProbabilities: cumulative must not be empty");
  if (!(scale > 0 && scale < Infinity)) throw new ValueError(`tsallisProbabilities: scale is ${scale}; it must be > 0`);
  if (!(t >= 1 && t < Infinity)) throw new ValueError(`tsallisProbabilities: t is ${t}; it must be a round >= 1`);
  let least = Infinity;
  for (let i = 0; i < d; i++) {
    if (!Number.isFinite(cumulative[i])) {
      throw new ValueError(`tsallisProbabilities: cumulative[${i}] is ${cumulative[i]}; it must be finite`);
    }
    least = Math.min(least, cumulative[i]!);
  }
  const half = 1 / Math.sqrt(t);
  const gaps = Float64Array.from(cumulative, (k) => ((k - least) / scale) * half);
  const probabilities = new Float64Array(d);
  let w = 1;
  let sum = 0;
  for (let step = 0; step < 100; step++) {
    sum = 0;
    let slope = 0;
    for (let i = 0; i < d; i++) {
      const root = 1 / (gaps[i]! + w);
      probabilities[i] = root * root;
      sum += root * root;
      slope += root * root * root;
    }
    const change = (sum - 1) / (2 * slope);
    if (!(change > 1e-14 * w)) break;
    w += change;
  }
  for (let i = 0; i < d; i++) probabilities[i]! /= sum;
  return { probabilities, x: least / scale - w / half };
}
