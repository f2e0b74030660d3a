import { moons } from "@offprint/claims/makers";
import { type random, type Tensor, tensor } from "@offprint/tensor-core";
import {
  type ConvexNetOptions,
  enumeratePatterns,
  type Patterns,
  type TwoLayerNet,
  type trainConvex,
} from "../src/index.js";

/** The method that claims are about; tests put a baseline or a broken variant in its place. */
export type Trainer = typeof trainConvex;

/** A regression problem small enough for all its patterns. */
export interface SmallProblem {
  readonly x: Tensor;
  readonly y: Tensor;
  /** All of them. */
  readonly patterns: Patterns;
}

/** Weight penalty of the small problems. */
export const BETA = 0.05;

/** Samples of sin(2x) with noise 0.1; with the column of ones 12 of them have 24 patterns. */
export function smallProblem(rng: random.Rng, n = 12): SmallProblem {
  const [inputs, noise] = rng.split(2);
  const x = inputs.normal([n, 1], { dtype: "float64" });
  const e = noise.normal([n], { dtype: "float64" }).data();
  const y = Float64Array.from(x.data(), (value, k) => Math.sin(2 * value) + 0.1 * e[k]);
  return { x, y: tensor(y), patterns: enumeratePatterns(x) };
}

/** The optimum by ADMM with a penalty that follows the residuals. */
export function optimumOf(train: Trainer, { x, y, patterns }: SmallProblem, options: Partial<ConvexNetOptions> = {}) {
  return train(x, y, { loss: "squared", beta: BETA, patterns, maxIterations: 20_000, tolerance: 1e-7, ...options });
}

/** Two moons with labels 1 and -1. */
export function twoMoons(rng: random.Rng, n: number, noise: number): { x: Tensor; y: Tensor } {
  const { inputs, targets } = moons(rng, n, { noise });
  return { x: inputs, y: tensor(Float64Array.from(targets.data(), (k) => 2 * k - 1)) };
}

/** Sum over the samples of the largest hinge loss on a `side` x `side` grid of the box around each. */
export function worstHinge(net: TwoLayerNet, x: Tensor, y: Tensor, eps: number, side = 21): number {
  const [points, labels] = [x.data(), y.data()];
  const m = net.a.size;
  const [U, a] = [net.U.data(), net.a.data()];
  const step = (2 * eps) / (side - 1);
  let sum = 0;
  for (let k = 0; k < labels.length; k++) {
    let worst = 0;
    for (let i = 0; i < side * side; i++) {
      const p = points[2 * k] - eps + step * (i % side);
      const q = points[2 * k + 1] - eps + step * Math.floor(i / side);
      let f = 0;
      for (let j = 0; j < m; j++) {
        const h = p * U[j] + q * U[m + j] + U[2 * m + j];
        if (h > 0) f += h * a[j];
      }
      worst = Math.max(worst, 1 - labels[k] * f);
    }
    sum += worst;
  }
  return sum;
}
