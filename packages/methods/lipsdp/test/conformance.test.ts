import { activation, perceptron } from "@offprint/networks";
import { runConformance, type SubjectOptions } from "@offprint/solvers/conformance";
import { describe, expect, it } from "vitest";
import { deterministicLayers } from "../claims/method.js";
import { type LipschitzOptions, lipschitzBound, localRateNeuralOde, residualReluBound } from "../src/index.js";
import { randomLayers } from "./deterministic-nets.js";

const maxmin = activation("maxmin");
const network = perceptron(deterministicLayers([4, 6, 4, 2]), maxmin);
const wide = perceptron(randomLayers([10, 30, 30, 4], 3), maxmin);
const tools = { describe, it, expect };
const bad = perceptron([{ weight: [[Number.NaN]] }], maxmin);

const common = {
  limit: "maxIterations" as const,
  short: 5,
  endless: { solver: { method: "splitting", anderson: false }, tolerance: 1e-15, maxIterations: 1e9 },
  seeded: false,
};
const tolerances = [{ tolerance: 0 }, { tolerance: Number.NaN }];

runConformance(
  "lipschitzBound",
  {
    ...common,
    // A small network is solved to the last bit: what is to be aborted is a larger one.
    endless: { ...common.endless, large: true },
    run: ({ large, ...options }: SubjectOptions) => lipschitzBound(large ? wide : network, options as LipschitzOptions),
    invalid: [...tolerances, { norm: "l3" }, { sharing: "all" }, { splitSize: 0 }, { certify: 1 }, { outputs: [9] }],
    nonFinite: [() => lipschitzBound(bad)],
  },
  tools,
);

runConformance(
  "lipschitzBound in parts",
  {
    ...common,
    short: 9,
    run: (options: SubjectOptions) =>
      lipschitzBound(perceptron(randomLayers([4, 6, 4, 6, 2], 2), maxmin), {
        splitSize: 2,
        ...(options as LipschitzOptions),
      }),
    invalid: tolerances,
    nonFinite: [() => lipschitzBound(bad, { splitSize: 1 })],
  },
  tools,
);

runConformance(
  "residualReluBound",
  {
    ...common,
    run: (options: SubjectOptions) => residualReluBound(network, options as LipschitzOptions),
    invalid: [...tolerances, { relusPerPair: 3 }],
    nonFinite: [() => residualReluBound(bad)],
  },
  tools,
);

const ode = {
  H: [
    [-1, 0.5],
    [0, -2],
  ],
  G: [
    [1, 0.3],
    [0.2, 1],
  ],
  W: [
    [1, 2],
    [0.5, 1],
  ],
  activation: maxmin,
};

runConformance(
  "localRateNeuralOde",
  {
    ...common,
    run: (options: SubjectOptions) => localRateNeuralOde(ode, options as LipschitzOptions),
    invalid: tolerances,
    nonFinite: [
      () =>
        localRateNeuralOde({
          ...ode,
          H: [
            [Infinity, 0],
            [0, 1],
          ],
        }),
    ],
  },
  tools,
);
