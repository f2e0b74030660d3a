import { linear } from "@offprint/nn";
import { runConformance, type SubjectOptions } from "@offprint/solvers/conformance";
import { add, mul, random, type Tensor, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { anil, boRep, epochSgd, maml } from "../src/index.js";
import { noisyProblem } from "./problems.js";

const tools = { describe, it, expect };
const problem = noisyProblem();
const steps = { stepLength: 0.01, lowerStepSize: 0.1 };
const broken = {
  ...problem,
  lower: (x: Tensor, y: Tensor, n: Tensor) => mul(problem.lower(x, y, n), tensor(Number.NaN, { dtype: "float64" })),
};
const refinements = [
  { method: "sgd", steps: 3 },
  { method: "epochSgd", stepSize: 0.1, firstSteps: 2, epochs: 2, radius: 5 },
] as const;

for (const refinement of refinements) {
  runConformance(
    `boRep refined by ${refinement.method}`,
    {
      run: (options) => boRep(problem, { ...steps, refinement, ...options } as never),
      limit: "maxIterations",
      short: 6,
      endless: { maxIterations: 1e9, stepLength: 1e-9 },
      seeded: true,
      invalid: [
        ...[{ stepLength: 0 }, { lowerStepSize: -1 }, { linearStepSize: 0 }, { momentum: 1 }, { period: 0 }],
        ...[{ lowerSteps: 1.5 }, { radius: 0 }, { average: "median" }, { zOrder: "both" }, { batches: "none" }],
        ...[{ refinement: { method: "magic" } }, { normalize: 2 }, { evaluate: 1 }],
      ],
      comparesStates: true,
      nonFinite: [() => boRep(broken, { ...steps, refinement, maxIterations: 3 })],
    },
    tools,
  );
}

runConformance(
  "epochSgd",
  {
    run: (options) =>
      epochSgd((y, k) => add(y, random.rng(`noise/${k}`).normal([2], { dtype: "float64" })), [1, 2], {
        ...{ stepSize: 0.1, firstSteps: 2, ...options },
      } as never),
    limit: "epochs",
    short: 5,
    endless: { epochs: 45, stepSize: 1e-9 },
    seeded: false,
    invalid: [{ stepSize: 0 }, { firstSteps: 0 }, { radius: -1 }],
    comparesStates: true,
    nonFinite: [() => epochSgd((y) => mul(y, Number.NaN), [1], { stepSize: 1, firstSteps: 1, epochs: 1 })],
  },
  tools,
);

const rng = random.rng(3);
const part = () => ({ inputs: rng.normal([12, 3]), targets: rng.randint([12], { high: 2 }) });
const tasks = [0, 1].map(() => ({ support: part(), query: part() }));
const wrong = tasks.map(({ support, query }) => ({
  support: { ...support, inputs: mul(support.inputs, Number.NaN) },
  query,
}));
const layers = { body: linear({ inputs: 3, outputs: 2 }), head: linear({ inputs: 2, outputs: 2 }), batchSize: 4 };
for (const [name, learn] of [
  ["maml", maml],
  ["anil", anil],
] as const) {
  const run = (options: SubjectOptions) =>
    learn(tasks, { ...layers, learningRate: 0.1, innerStepSize: 0.1, ...options } as never);
  runConformance(
    name,
    {
      run,
      limit: "steps",
      short: 5,
      endless: { steps: 1e9 },
      seeded: true,
      invalid: [{ learningRate: 0 }, { innerStepSize: -1 }, { innerSteps: 0 }, { batchSize: 0 }],
      nonFinite: [() => learn(wrong, { ...layers, learningRate: 0.1, innerStepSize: 0.1, steps: 3 })],
    },
    tools,
  );
}
