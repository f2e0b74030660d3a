import { type Claim, figure } from "@offprint/claims";
import { applyUpdates, type GradientTransformation } from "@offprint/optim";
import { type Rng, type Tensor, tensor } from "@offprint/tensor-core";
import { weightedStepSizes } from "../src/index.js";
import { type Method, published } from "./method.js";
import { type PiecewiseLinear, pieceAt, randomPiecewiseLinear } from "./piecewise-linear.js";

const numbers = (rng: Rng, n: number) =>
  rng.uniform([n], { low: 0.05, high: 1, dtype: "float64" }).data() as Float64Array;

/** Subgradient descent from `start`: the value at the last iterate, and the norms on the way. */
function descend(problem: PiecewiseLinear, start: Float64Array, stepSizes: Float64Array) {
  let x = start;
  let value = 0;
  const norms = stepSizes.map((step, t) => {
    const piece = pieceAt(problem, x);
    value = piece.value;
    // The last step size does not move x_T.
    if (t + 1 < stepSizes.length) x = x.map((v, i) => v - step * piece.subgradient[i]);
    return Math.hypot(...piece.subgradient);
  });
  return { gap: value - problem.minimum, norms };
}

/** A learner that moves at random, whatever it sees. */
function aimless(rng: Rng, size: number): GradientTransformation<null> {
  const update = () => ({ updates: rng.normal([size], { dtype: "float64" }) as never, state: null });
  return { init: () => null, update };
}

/** How far the conversion theorem is exceeded by a learner that moves at random, relative to the sizes involved. */
function conversionExcess(
  { lastIterate }: Method,
  rng: Rng,
  problem: PiecewiseLinear,
  start: Float64Array,
  weights: Float64Array,
): number {
  const total = weights.reduce((a, b) => a + b);
  const point = start.map((_, i) => problem.minimizer[i] + rng.normal([], { dtype: "float64" }).item());
  const converted = lastIterate(aimless(rng, start.length), weights);
  let x = tensor(start);
  let state = converted.init(x);
  let [regret, value] = [0, 0];
  for (const weight of weights) {
    const piece = pieceAt(problem, x.data() as Float64Array);
    value = piece.value;
    const z = (state.learnerIterate as Tensor).data();
    for (let i = 0; i < z.length; i++) regret += weight * piece.subgradient[i] * (z[i] - point[i]);
    const step = converted.update(tensor(Float64Array.from(piece.subgradient)), state, x);
    x = applyUpdates(x, step.updates);
    state = step.state;
  }
  const excess = value - pieceAt(problem, point).value - regret / total;
  return excess / (1 + Math.abs(value) + Math.abs(regret / total));
}

/** The two guarantees of the last iterate and the conversion theorem, on problems whose minimum is known. */
export function inequalities(method: Method = published, problems = { quick: 2000, full: 20_000 }): Claim {
  return {
    id: "guarantees-hold",
    statement:
      "The last iterate keeps the guarantees: of weighted SGD, of any step sizes, and of any learner converted",
    source: "Theorems 1 to 3",
    paper: { "largest f(x_T) - f* over the bound": "<= 1" },
    async run({ rng, scale, onProgress }) {
      let [general, weighted, conversion] = [0, 0, -Infinity];
      for (let i = 0; i < problems[scale]; i++) {
        const problem = randomPiecewiseLinear(rng);
        const start = rng.normal([problem.minimizer.length], { std: 2, dtype: "float64" }).data() as Float64Array;
        const distance = Math.hypot(...start.map((v, k) => v - problem.minimizer[k]));
        const T = 3 + Math.floor(28 * rng.uniform([], { dtype: "float64" }).item());
        const weights = numbers(rng, T);
        const any = descend(problem, start, weights);
        general = Math.max(general, any.gap / method.lastIterateBound(weights, any.norms, distance).value);
        const own = descend(problem, start, weightedStepSizes(weights));
        weighted = Math.max(weighted, own.gap / method.weightedBound(weights, own.norms, distance));
        if (i % 10 === 0) conversion = Math.max(conversion, conversionExcess(method, rng, problem, start, weights));
        if (i % 100 === 0) await onProgress(i / problems[scale]);
      }
      const logarithm = [10, 100, 1000].map((T) => {
        const flat = new Float64Array(T).fill(1 / Math.sqrt(T));
        return Math.sqrt(T) * method.lastIterateBound(flat, new Float64Array(T).fill(1), 1).value;
      });
      const off = Math.max(...logarithm.map((value, i) => Math.abs(value - [2.41448, 3.58869, 4.74224][i])));
      return {
        measured: { "any step sizes": general, weighted, "conversion, excess": conversion },
        holds: general <= 1 + 1e-10 && weighted <= 1 + 1e-10 && conversion <= 1e-10 && off <= 1e-5,
        detail:
          `On ${problems[scale]} random convex functions f(x_T) - f* over its bound must never exceed 1 (largest ` +
          `${figure(general)} for any step sizes, ${figure(weighted, 5)} for weights), nor on a tenth of them the conversion theorem be exceeded by what lastIterate makes of a learner ` +
          `(by ${figure(conversion)}); a constant step must have the bound with the logarithm, 2.41448, 3.58869, 4.74224 for ` +
          `T = 10, 100, 1000 (off by ${figure(off)}).`,
      };
    },
  };
}
