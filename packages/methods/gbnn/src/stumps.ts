import {
  checkOptions,
  requireFunction,
  requireInteger,
  requireNonNegative,
  type Tensor,
  type TensorLike,
  tensor,
} from "@offprint/tensor-core";
import type { BoostLoss } from "./loss.js";
import { initialScores, readFeatures } from "./model.js";

/** Options of `boostStumps`. */
export interface StumpOptions {
  /** Number of rounds, each with a stump per output. Default 200. */
  readonly rounds?: number;
  /** Factor of every step, >= 0. Default 0.1. */
  readonly learningRate?: number;
}

interface Stump {
  readonly feature: number;
  readonly threshold: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The baseline that people know: gradient boosting with regression stumps (trees of one split) on the same losses.
 *
 * @param x `[samples, features]`.
 * @param targets `[samples, outputs]`, coded for the loss, row-major.
 * @returns F for `[samples, features]`, as `[samples, outputs]`.
 */
export function boostStumps(
  x: TensorLike,
  targets: Float64Array,
  loss: BoostLoss,
  options: StumpOptions = {},
): (x: TensorLike) => Tensor {
  checkOptions("boostStumps", options, ["rounds", "learningRate"]);
  const { rounds = 200, learningRate = 0.1 } = options;
  requireInteger("boostStumps", "rounds", rounds, 0);
  requireNonNegative("boostStumps", "learningRate", learningRate);
  for (const name of ["initial", "residuals", "step"] as const) {
    requireFunction("boostStumps", `loss.${name}`, loss?.[name]);
  }
  const { data, rows, features } = readFeatures("boostStumps", x);
  const K = loss.outputs;
  const orders = Array.from({ length: features }, (_, f) => sortedBy(data, rows, features, f));
  const initial = loss.initial(targets);
  const F = initialScores(initial, rows);
  const made: { stumps: Stump[]; step: number }[] = [];
  for (let t = 0; t < rounds; t++) {
    const residuals = loss.residuals(targets, F);
    const stumps = Array.from({ length: K }, (_, k) => bestStump(data, orders, residuals, features, K, k));
    const phi = applyStumps(stumps, data, features);
    const step = learningRate * loss.step(targets, F, residuals, phi);
    if (!Number.isFinite(step)) break;
    for (let i = 0; i < F.length; i++) F[i] += step * phi[i];
    made.push({ stumps, step });
  }
  return (at) => {
    const given = readFeatures("boostStumps", at, features);
    const out = initialScores(initial, given.rows);
    for (const { stumps, step } of made) {
      const phi = applyStumps(stumps, given.data, features);
      for (let i = 0; i < out.length; i++) out[i] += step * phi[i];
    }
    return tensor(out, { shape: [given.rows, K] });
  };
}

function sortedBy(data: Float64Array, rows: number, features: number, f: number): Int32Array {
  return Int32Array.from({ length: rows }, (_, i) => i).sort((a, b) => data[a * features + f] - data[b * features + f]);
}

/** The split that lowers the sum of squares most: the one with the largest sum of `(sum of a side)^2 / its size`. */
function bestStump(
  data: Float64Array,
  orders: readonly Int32Array[],
  residuals: Float64Array,
  features: number,
  K: number,
  k: number,
): Stump {
  const rows = residuals.length / K;
  let total = 0;
  for (let i = 0; i < rows; i++) total += residuals[i * K + k];
  let gain = (total * total) / rows;
  let best: Stump = { feature: 0, threshold: Number.POSITIVE_INFINITY, low: total / rows, high: total / rows };
  for (const [feature, order] of orders.entries()) {
    let sum = 0;
    for (let m = 1; m < rows; m++) {
      sum += residuals[order[m - 1] * K + k];
      const before = data[order[m - 1] * features + feature];
      const after = data[order[m] * features + feature];
      if (before === after) continue;
      const rest = total - sum;
      const value = (sum * sum) / m + (rest * rest) / (rows - m);
      if (value > gain) {
        gain = value;
        best = { feature, threshold: (before + after) / 2, low: sum / m, high: rest / (rows - m) };
      }
    }
  }
  return best;
}

function applyStumps(stumps: readonly Stump[], data: Float64Array, features: number): Float64Array {
  const K = stumps.length;
  const rows = data.length / features;
  const phi = new Float64Array(rows * K);
  stumps.forEach(({ feature, threshold, low, high }, k) => {
    for (let i = 0; i < rows; i++) phi[i * K + k] = data[i * features + feature] <= threshold ? low : high;
  });
  return phi;
}
