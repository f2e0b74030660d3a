import { runConformance } from "@offprint/solvers/conformance";
import { mul, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { bsvrb, rsvrb } from "../src/index.js";
import { curvedProblem } from "./problems.js";

const tools = { describe, it, expect };
const problem = curvedProblem();
const broken = {
  ...problem,
  lower: (...args: Parameters<typeof problem.lower>) =>
    mul(problem.lower(...args), tensor(Number.NaN, { dtype: "float64" })),
};
const steps = { stepSize: 0.01, lowerStepSize: 0.05, sampledBlocks: 2 };

for (const version of ["v1", "v2"] as const) {
  runConformance(
    `bsvrb ${version}`,
    {
      run: (options) =>
        bsvrb(problem, { ...steps, version, ...(version === "v2" && { linearBound: 0.5 }), ...options } as never),
      limit: "maxIterations",
      short: 8,
      endless: { maxIterations: 1e9, stepSize: 1e-9 },
      seeded: true,
      invalid: [
        ...[{ stepSize: 0 }, { lowerStepSize: -1 }, { linearStepSize: 0 }, { sampledBlocks: 7 }, { sampledBlocks: 0 }],
        ...[{ alpha: 0 }, { alpha: 1.5 }, { beta: 0 }, { beta: 2 }, { gamma: -1 }, { gamma: "magic" }],
        ...[{ strongConvexity: 0 }, { linearBound: -1 }, { blockUpdates: "none" }, { blockSampling: "all" }],
        ...[{ init: "none" }, { estimator: "sgd" }, { version: "v3" }, { draw: 1 }, { evaluate: 2 }],
      ],
      comparesStates: true,
      nonFinite: [
        () => bsvrb(broken, { ...steps, version, maxIterations: 3 }),
        () =>
          bsvrb(
            { ...problem, initial: { ...problem.initial, x: [1, 2, 3, Number.NaN] as never } },
            { ...steps, maxIterations: 3 },
          ),
      ],
    },
    tools,
  );
}

runConformance(
  "rsvrb",
  {
    run: (options) => rsvrb(problem, { ...steps, ...options } as never),
    limit: "maxIterations",
    short: 6,
    endless: { maxIterations: 1e9, stepSize: 1e-9 },
    seeded: true,
    invalid: [{ stepSize: 0 }, { lowerStepSize: 0 }, { sampledBlocks: 9 }, { beta: 0 }, { strongConvexity: -1 }],
    comparesStates: true,
    nonFinite: [() => rsvrb(broken, { ...steps, maxIterations: 3 })],
  },
  tools,
);
