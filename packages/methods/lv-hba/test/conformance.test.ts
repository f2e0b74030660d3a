import { runConformance } from "@offprint/solvers/conformance";
import { mul, type random, type Tensor, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { aipod, kktImplicit, lvHba } from "../src/index.js";
import { halfSpaceProblem } from "./problems.js";

const tools = { describe, it, expect };
const problem = halfSpaceProblem();
const broken = {
  ...problem,
  upper: (x: Tensor, y: Tensor) => mul(problem.upper(x, y, null), tensor(Number.NaN, { dtype: "float64" })),
};
const level = {
  matrix: tensor([[1, 1, 1]], { dtype: "float64" }),
  offset: (x: Tensor) => x.sum().reshape([1]),
};

runConformance(
  "lvHba",
  {
    run: (options) => lvHba(problem, { checkEvery: 3, ...options } as never),
    limit: "maxIterations",
    short: 6,
    endless: { maxIterations: 1e9, checkEvery: undefined },
    seeded: false,
    invalid: [
      ...[
        { alpha: 0 },
        { alphaX: -1 },
        { beta: 0 },
        { eta: 0 },
        { gamma1: 0 },
        { gamma2: -1 },
        { c: 0 },
        { p: 0 },
        { r: 0 },
      ],
      ...[
        { scaleConstraints: "some" },
        { saddleSteps: 0 },
        { checkEvery: 0 },
        { tolerance: -1 },
        { evaluate: 2 },
        { penalty: 3 },
      ],
    ],
    comparesStates: true,
    nonFinite: [() => lvHba(broken, { maxIterations: 3 })],
  },
  tools,
);

const noisy = {
  ...problem,
  upper: (x: Tensor, y: Tensor, n: Tensor) => problem.upper(x, y, null).add(mul(n, x).sum()),
  lower: (x: Tensor, y: Tensor, n: Tensor) => problem.lower(x, y, null).add(mul(n, y).sum()),
  sample: {
    upper: (rng: random.Rng) => rng.normal([3], { dtype: "float64" }),
    lower: (rng: random.Rng) => rng.normal([3], { dtype: "float64" }),
  },
};
runConformance(
  "lvHba with drawn batches",
  {
    run: (options) => lvHba(noisy, options as never),
    limit: "maxIterations",
    short: 6,
    endless: { maxIterations: 1e9 },
    seeded: true,
    invalid: [{ eta: -1 }],
    comparesStates: true,
    nonFinite: [() => lvHba({ ...noisy, upper: broken.upper }, { maxIterations: 3 })],
  },
  tools,
);

for (const projectionProbability of [1, 0.5]) {
  const steps = { stepSize: 0.05, lowerStepSize: 0.2, projectionProbability };
  runConformance(
    `aipod projecting with probability ${projectionProbability}`,
    {
      run: (options) => aipod(problem, level, { ...steps, ...options } as never),
      limit: "maxIterations",
      short: 6,
      endless: { maxIterations: 1e9, stepSize: 1e-9 },
      seeded: projectionProbability < 1,
      invalid: [
        { stepSize: 0 },
        { lowerStepSize: 0 },
        { lowerSteps: 0 },
        { upperSteps: 0 },
        { projectionProbability: 2 },
      ],
      comparesStates: true,
      nonFinite: [() => aipod(broken, level, { ...steps, maxIterations: 3 })],
    },
    tools,
  );
}

runConformance(
  "kktImplicit",
  {
    run: (options) => kktImplicit(problem, { stepSize: 0.01, ...options } as never),
    limit: "maxIterations",
    short: 5,
    endless: { maxIterations: 1e9, stepSize: 1e-9 },
    seeded: false,
    invalid: [{ stepSize: 0 }, { activeTolerance: 0 }, { tolerance: 0 }],
    comparesStates: true,
    nonFinite: [() => kktImplicit(broken, { stepSize: 0.1, maxIterations: 3 })],
  },
  tools,
);
