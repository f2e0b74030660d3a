import { runConformance } from "@offprint/solvers/conformance";
import { abs, add, random, sum, type Tensor, tensor, valueAndGrad } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { optimizeSchedule, type TrainAndRefineOptions, type TrainingProblem, trainAndRefine } from "../src/index.js";
import { randomNorms } from "./random-norms.js";

runConformance(
  "optimizeSchedule",
  {
    run: ({ long, ...options }) => optimizeSchedule(randomNorms(long ? 20_000 : 60), 1, { tolerance: 0, ...options }),
    limit: "maxIterations",
    short: 8,
    endless: { long: true, maxIterations: 1e9 },
    seeded: false,
    invalid: [{ tolerance: -1 }, { tolerance: Number.NaN }],
    nonFinite: [() => optimizeSchedule([1, Number.NaN], 1), () => optimizeSchedule([1, 2], Number.POSITIVE_INFINITY)],
  },
  { describe, it, expect },
);

const noises = random.rng(2).normal([20, 3], { dtype: "float64" });
const lossOf = valueAndGrad((x: Tensor) => sum(abs(x)));
const problem: TrainingProblem<Tensor> = {
  initial: tensor(Float64Array.of(1, 2, 3)),
  lossAndGradients(x, step) {
    const [loss, gradients] = lossOf(x);
    return { loss, gradients: add(gradients, noises.slice([step % 20])) };
  },
};
const settings = { optimizer: "adam", learningRate: [0.02, 0.1], steps: 12 } as const;
const nowhere = { ...problem, lossAndGradients: () => ({ loss: Number.NaN, gradients: problem.initial }) };

runConformance(
  "trainAndRefine",
  {
    run: (options) => trainAndRefine(problem, { ...settings, ...options } as TrainAndRefineOptions<Tensor>),
    limit: "steps",
    short: 12,
    endless: { steps: 50_000, rounds: 1e6 },
    seeded: false,
    invalid: [
      { rounds: 0 },
      { learningRate: [0] },
      { learningRate: Number.NaN },
      { learningRateFactors: [] },
      { optimizer: "rprop" },
      { tau: 2 },
    ],
    nonFinite: [() => trainAndRefine(nowhere, settings)],
  },
  { describe, it, expect },
);
