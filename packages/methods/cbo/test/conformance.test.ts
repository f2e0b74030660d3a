import { runConformance } from "@offprint/solvers/conformance";
import { square, sub, sum, type Tensor, tensor, zeros } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { rastrigin } from "../claims/landscapes.js";
import {
  type CboOptions,
  type CboProblem,
  cbo,
  cboTrain,
  consensusHopping,
  gradientDescent,
  randomSearch,
} from "../src/index.js";
import { plain } from "./plain.js";

const tools = { describe, it, expect };
const { objective } = rastrigin;
const problem: CboProblem = { objective, dimension: 3 };
const nowhere = { objective: { perParticle: () => Number.NaN }, dimension: 2 };
const small = { particles: 12, mean: 1 };
const height = plain(rastrigin);

const swarms: Readonly<Record<string, readonly [CboProblem, CboOptions]>> = {
  "cbo, compiled": [problem, small],
  "cbo of a function of plain numbers": [{ ...problem, objective: { perParticle: height } }, small],
  "cbo of a promised objective, in batches, with a gradient": [
    { ...problem, objective: { perParticle: async (v) => height(v) } },
    { ...small, batchParticles: 4, batchUpdate: "partial", gradient: { gamma: 1, learningRate: 0.1 } },
  ],
};

for (const [name, [own, options]] of Object.entries(swarms)) {
  runConformance(
    name,
    {
      run: (more) => cbo(own, { ...options, ...more }),
      limit: "maxIterations",
      short: 7,
      endless: { maxIterations: 1e9 },
      seeded: true,
      invalid: [{ particles: 1 }, { dt: 0 }, { sigma: -1 }, { alpha: -1 }, { noise: "pink" }, { restarts: 0.5 }],
      nonFinite: [() => cbo(nowhere), () => cbo(problem, { mean: Number.NaN }), () => cbo(problem, { dt: Infinity })],
    },
    tools,
  );
}

runConformance(
  "cbo within bounds, swarm after swarm",
  {
    // Two dimensions and few particles: a swarm collapses within some twenty steps.
    run: (more) =>
      cbo(
        {
          objective,
          bounds: [
            [-4, 5],
            [-4, 5],
          ],
        },
        { particles: 5, tolerance: 0.1, restarts: 1e9, ...more },
      ),
    limit: "maxIterations",
    short: 40,
    endless: { maxIterations: 1e9, tolerance: 1e-300 },
    seeded: true,
    invalid: [{ tolerance: 0 }, { patience: 0 }],
    nonFinite: [() => cbo({ objective, bounds: [[0, Number.NaN]] })],
  },
  tools,
);

runConformance(
  "consensusHopping",
  {
    run: (more) => consensusHopping(problem, { initial: [2, 1, 0], width: 0.5, particles: 12, ...more }),
    limit: "maxIterations",
    short: 6,
    endless: { maxIterations: 1e9, recordPath: false },
    seeded: true,
    invalid: [{ width: 0 }, { initial: [[1]] }],
    nonFinite: [() => consensusHopping(problem, { initial: [1, Infinity, 0], width: 1 })],
  },
  tools,
);

runConformance(
  "gradientDescent",
  {
    run: (more) => gradientDescent(problem, { initial: [2, 1, 0], langevinSigma: 1, ...more }),
    limit: "maxIterations",
    short: 6,
    endless: { maxIterations: 1e9 },
    seeded: true,
    invalid: [{ learningRate: 0 }, { dt: -1 }, { langevinSigma: -1 }, { recordEvery: 0 }],
    nonFinite: [() => gradientDescent(problem, { initial: [Number.NaN, 0, 0] })],
  },
  tools,
);

runConformance(
  "randomSearch",
  {
    run: (more) => randomSearch(problem, { particles: 10, ...more }),
    limit: "maxIterations",
    short: 6,
    endless: { maxIterations: 1e9 },
    seeded: true,
    invalid: [{ particles: 0 }, { std: -1 }],
    nonFinite: [() => randomSearch(nowhere)],
  },
  tools,
);

const goal = tensor([1, -2], { dtype: "float64" });
const bowl = { parameters: 2, loss: (theta: Tensor) => sum(square(sub(theta, goal)), { axis: 1 }) };
const data = { inputs: zeros([8, 1], "float64"), targets: zeros([8], "float64") };

runConformance(
  "cboTrain",
  {
    run: (more) => cboTrain(bowl, data, { particles: 10, batchParticles: 5, batchSize: 4, reduction: true, ...more }),
    limit: "epochs",
    short: 5,
    endless: { epochs: 1e9, cooling: false },
    seeded: true,
    invalid: [{ batchSize: 0 }, { alpha: Number.NaN }, { batchParticles: 11 }],
    nonFinite: [
      () => cboTrain({ ...bowl, loss: (theta) => bowl.loss(theta).mul(Number.NaN) }, data, { epochs: 1 }),
      () => cboTrain(bowl, data, { mean: Infinity }),
    ],
  },
  tools,
);
