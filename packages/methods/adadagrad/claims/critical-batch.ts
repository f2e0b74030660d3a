import type { Claim } from "@offprint/claims";
import { random, tensor } from "@offprint/tensor-core";
import { gradientStats, nextBatchSize, requiredBatchSize } from "../src/index.js";

const N = 4000;
const D = 6;
const ETA = 0.4;
const DRAWS = 4000;
const SCALES = [2, 1, 1, 0.5, 0.5, 0.1];
const SHIFT = [0.3, -0.2, 0.1, 0, 0.05, 0.4];

/** Gives the batch size at which the norm test passes, from the gradients of samples. */
export type Required = (gradients: Float64Array, shape: readonly [number, number], eta: number) => number;

const byStats: Required = (gradients, shape, eta) =>
  requiredBatchSize(gradientStats({ x: tensor(gradients, { shape }) }), { kind: "norm", eta });

/** For squared distances the batch size at which the norm condition holds has a closed form. */
export function criticalBatch(required: Required = byStats): Claim {
  return {
    id: "critical-batch",
    statement: "The norm test asks for the batch size at which the relative error of the gradient is eta",
    source: "Section 3, norm test",
    paper: "exact condition",
    run(context) {
      const rng = random.rng(`${context.seed}/critical`);
      const points = rng
        .normal([N, D], { dtype: "float64" })
        .data()
        .map((value, i) => value * SCALES[i % D]);
      const mean = new Float64Array(D);
      points.forEach((value, i) => {
        mean[i % D] += value / N;
      });
      // gradients of |x - a_i|^2 / 2 at x = mean + shift
      const gradients = Float64Array.from(points, (value, i) => mean[i % D] + SHIFT[i % D] - value);
      let trace = 0;
      points.forEach((value, i) => {
        trace += (value - mean[i % D]) ** 2 / (N - 1);
      });
      const square = SHIFT.reduce((sum, value) => sum + value ** 2, 0);
      const exact = trace / (ETA ** 2 * square);
      const asked = required(gradients, [N, D], ETA);
      const size = Math.max(1, Math.ceil(asked));
      let error = 0;
      const batch = new Float64Array(D);
      for (let k = 0; k < DRAWS; k++) {
        batch.fill(0);
        for (const i of rng.choice(N, { shape: [size] }).data())
          for (let j = 0; j < D; j++) batch[j] += gradients[i * D + j];
        for (let j = 0; j < D; j++) error += (batch[j] / size - SHIFT[j]) ** 2;
      }
      const ratio = error / DRAWS / square;
      const expected = ((ETA ** 2 * (N - 1)) / N) * (exact / Math.ceil(exact));
      const grown = nextBatchSize(
        2,
        gradientStats({ x: tensor(gradients, { shape: [N, D] }) }),
        { kind: "norm", eta: ETA },
        N,
      );
      return {
        measured: { "batch size": size, "relative error": ratio },
        holds: size === Math.ceil(exact) && grown === size && Math.abs(ratio / expected - 1) <= 0.04,
        detail:
          `From all ${N} samples the test asks for ${size}; the closed form gives ${exact.toFixed(2)}, rounded up. The mean squared relative error of ${DRAWS} ` +
          `batches of that size is ${ratio.toFixed(4)}; it must be ${expected.toFixed(4)} within 4 %.`,
      };
    },
  };
}
