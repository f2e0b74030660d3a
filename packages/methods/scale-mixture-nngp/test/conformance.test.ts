import { nngp, squaredExponential } from "@offprint/gaussian-process";
import { runConformance } from "@offprint/solvers/conformance";
import { mul, random, sin, sum } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { fitByEvidence, fitByValidation, fitClassifier } from "../src/index.js";

const tools = { describe, it, expect };
const kernel = nngp({ kind: "fullyConnected", depth: 1, activation: "erf", readoutVariance: 1 });
const rng = random.rng(1);
const x = rng.uniform([12, 2], { low: -2, high: 2, dtype: "float64" });
const y = sum(sin(mul(2, x)), 1);
const many = rng.uniform([260, 4], { dtype: "float64" });
const plain = ({
  process: _,
  model: __,
  ...rest
}: { process?: unknown; model?: unknown } & Record<string, unknown>) => {
  const { state: ___, kernel: ____, ...outcome } = rest;
  return JSON.parse(JSON.stringify(outcome)) as unknown;
};

runConformance(
  "fitByEvidence",
  {
    run: ({ large, ...options }) =>
      large
        ? fitByEvidence(squaredExponential({ length: [1, 1, 1, 1] }), many, sum(sin(mul(9, many)), 1), {
            tolerance: 0,
            ...options,
          } as never)
        : fitByEvidence(kernel, x, y, { tolerance: 0, ...options } as never),
    limit: "maxIterations",
    short: 5,
    endless: { large: true, maxIterations: 1e9 },
    seeded: false,
    invalid: [
      { noise: 0 },
      { tolerance: -1 },
      { prior: { kind: "burr", c: 1, d: 1 } },
      { fitPrior: 1 },
      { standardize: 2 },
    ],
    nonFinite: [() => fitByEvidence(kernel, x, y.mul(Number.NaN))],
    outcome: (result) => plain(result as never),
  },
  tools,
);

const kernels = Array.from({ length: 600 }, (_, k) => squaredExponential({ length: 0.3 + 0.003 * k }));
const parts = [
  { x: many.slice([{ start: 0, stop: 130 }]), y: sum(many.slice([{ start: 0, stop: 130 }]), 1) },
  { x: many.slice([{ start: 130, stop: 260 }]), y: sum(many.slice([{ start: 130, stop: 260 }]), 1) },
] as const;

runConformance(
  "fitByValidation",
  {
    run: ({ large, ...options }) =>
      large
        ? fitByValidation({ kernels }, parts[0], parts[1], options as never)
        : fitByValidation({ kernels: kernels.slice(0, 7), noises: [0.1] }, { x, y }, { x, y }, options as never),
    limit: "maxIterations",
    short: 5,
    endless: { large: true, maxIterations: 600 },
    seeded: false,
    invalid: [{ ridge: "none" }, { standardize: 0 }, { inference: { draws: 0 } }],
    nonFinite: [() => fitByValidation({ kernels: [kernel] }, { x, y: y.mul(Number.NaN) }, { x, y })],
    outcome: (result) => plain(result as never),
  },
  tools,
);

const labels = Array.from({ length: 12 }, (_, i) => i % 3);

runConformance(
  "fitClassifier",
  {
    run: (options) => fitClassifier(kernel, x, labels, { samples: 4, batchSize: 8, inducing: 5, ...options } as never),
    limit: "steps",
    short: 5,
    endless: { steps: 1e9 },
    seeded: true,
    invalid: [
      ...[{ inducing: 13 }, { samples: 0 }, { batchSize: 13 }, { learningRate: -1 }, { jitter: 0 }],
      ...[
        { sharedScale: 1 },
        { trainInducing: 2 },
        { trainKernel: "no" },
        { standardize: 1 },
        { prior: { kind: "gamma", shape: 1, rate: 1 } },
      ],
    ],
    nonFinite: [() => fitClassifier(kernel, x.mul(Number.NaN), labels)],
    outcome: (result) => {
      const { model, status, steps, history } = result as Awaited<ReturnType<typeof fitClassifier>>;
      return { parameters: model.parameters, status, steps, history };
    },
  },
  tools,
);
