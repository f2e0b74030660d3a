import { runConformance } from "@offprint/solvers/conformance";
import { describe, expect, it } from "vitest";
import { baselines, linearModel, losses, majorizeMinimize, sso } from "../src/index.js";
import { models, samples, targetLosses } from "./problems.js";

const tools = { describe, it, expect };
const { x, labels } = samples("conformance", 24, 4);
const { oracle } = losses.logistic(labels);
const softmax = targetLosses(24).softmax.oracle;
const broken = () => ({ loss: new Float64Array(24).fill(Number.NaN), grad: new Float64Array(24) });

runConformance(
  "sso",
  {
    run: (options) =>
      sso(linearModel(4), { x }, oracle, {
        eta: 1,
        steps: 1,
        batch: 7,
        metric: "adagrad-diag",
        inner: { steps: 3, reset: false },
        ...options,
      }),
    limit: "steps",
    short: 8,
    endless: { steps: 1e9 },
    seeded: true,
    invalid: [
      { eta: 0 },
      { schedule: "cosine" },
      { batch: 0 },
      { metric: "manhattan" },
      { tolerance: -1 },
      { prox: 1 },
    ],
    nonFinite: [() => sso(linearModel(4), { x }, broken, { eta: 1, steps: 2 })],
  },
  tools,
);

runConformance(
  "majorizeMinimize of a network",
  {
    run: ({ slow, ...options }) =>
      majorizeMinimize(models().network, { x }, softmax, {
        eta: 1,
        steps: 1,
        // a single step is what takes minutes: the signal ends it in the middle
        inner: slow ? { solver: "fixed", learningRate: 1e-9, steps: 1e9, tolerance: 0 } : { steps: 2 },
        ...options,
      }),
    limit: "steps",
    short: 5,
    endless: { slow: true, steps: 2 },
    seeded: false,
    invalid: [{ smoothness: -1 }, { eta: "theory" }, { inner: { steps: 0 } }, { newtonGuard: -1 }],
    nonFinite: [() => majorizeMinimize(linearModel(4), { x: x.div(0) }, oracle, { eta: 1, steps: 2 })],
  },
  tools,
);

for (const name of ["sgd", "sls", "adam", "adagrad", "svrg"] as const) {
  runConformance(
    `the baseline ${name}`,
    {
      run: (options) =>
        baselines[name](linearModel(4), { x }, oracle, { steps: 1, learningRate: 0.1, batch: 7, ...options }),
      limit: "steps",
      short: 8,
      endless: { steps: 1e9 },
      seeded: true,
      invalid: [{ learningRate: 0 }, { batch: 25 }],
      nonFinite: [() => baselines[name](linearModel(4), { x }, broken, { steps: 1, learningRate: 1 })],
    },
    tools,
  );
}
