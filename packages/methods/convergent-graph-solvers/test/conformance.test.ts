import { directed } from "@offprint/graph";
import { runConformance } from "@offprint/solvers/conformance";
import { asTensor, mul, ones, random } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  contractingWeights,
  convergentGraphSolver,
  decisionSample,
  fitGraphModel,
  randomDecisionGraph,
  solveFixedPoint,
} from "../src/index.js";

const tools = { describe, it, expect };
const cycle = directed(
  Array.from({ length: 40 }, (_, i) => [i, (i + 1) % 40]),
  40,
);
const weights = contractingWeights(cycle, ones([40, 3], "float64"));
const bias = random.rng("conformance").normal([40, 3], { dtype: "float64" });
const broken = mul(bias, Number.NaN);

runConformance(
  "solveFixedPoint",
  {
    run: (options) => solveFixedPoint(cycle, weights, bias, { gamma: 0.999999, tolerance: 1e-300, ...options }),
    limit: "maxIterations",
    short: 6,
    endless: { maxIterations: 1e9 },
    seeded: false,
    invalid: [
      { gamma: 1 },
      { tolerance: 0 },
      { stopNorm: "l1" },
      { flow: "up" },
      { method: "lu" },
      { activation: "exp" },
    ],
    nonFinite: [
      () => solveFixedPoint(cycle, weights, broken),
      () => solveFixedPoint(cycle, mul(weights, Number.NaN), bias),
    ],
  },
  tools,
);

runConformance(
  "solveFixedPoint, gmres",
  {
    run: (options) =>
      solveFixedPoint(cycle, contractingWeights(cycle, ones([40, 400], "float64")), ones([40, 400], "float64"), {
        method: "gmres",
        ...options,
      }),
    limit: "maxIterations",
    short: 6,
    endless: { maxIterations: 1e9 },
    seeded: false,
    invalid: [{ gamma: 0 }],
    nonFinite: [() => solveFixedPoint(cycle, weights, broken, { method: "gmres" })],
  },
  tools,
);

const model = convergentGraphSolver({ nodeInputs: 1, edgeInputs: 1, hidden: 4, mlp: [4], heads: 2 });
const samples = [5, 6, 7].map((states) =>
  decisionSample(randomDecisionGraph({ states, actions: 2, rng: random.rng(`${states}`) })),
);

runConformance(
  "fitGraphModel",
  {
    run: (options) => fitGraphModel(model, samples, { batchSize: 2, steps: 10, ...options }),
    limit: "steps",
    short: 5,
    endless: { steps: 1e9 },
    seeded: true,
    invalid: [
      { batchSize: 0 },
      { clipNorm: 0 },
      { loss: "hinge" },
      { dtype: "float16" },
      { refreshEvery: 0 },
      { steps: -1 },
    ],
    nonFinite: [
      () => fitGraphModel(model, [{ ...samples[0], nodes: mul(asTensor(samples[0].nodes), Number.NaN) }], { steps: 1 }),
    ],
  },
  tools,
);
