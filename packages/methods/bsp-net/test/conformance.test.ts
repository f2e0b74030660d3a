import { type LinearParams, linear } from "@offprint/nn";
import { runConformance } from "@offprint/solvers/conformance";
import { random, reshape } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { bspAutoEncoder, type FitOptions, fitAutoEncoder, fitCodes, fitShape, shapeSamples } from "../src/index.js";

const tools = { describe, it, expect };

const points = random.rng(1).uniform([600], { low: -0.5, high: 0.5, dtype: "float64" }).data();
const values = Array.from({ length: 200 }, (_, i) => Math.hypot(...points.subarray(3 * i, 3 * i + 3)) < 0.35);
const inBall = (asked: Float64Array) =>
  Uint8Array.from({ length: asked.length / 3 }, (_, i) =>
    Math.hypot(...asked.subarray(3 * i, 3 * i + 3)) < 0.3 ? 1 : 0,
  );
const tiny = { convexes: 2, planesPerConvex: 5, pointsPerStep: 40, poolSize: 2000 };

runConformance(
  "fitShape, from an inside test",
  {
    run: (options) => fitShape(inBall, { ...tiny, ...options }),
    limit: "steps",
    short: 8,
    endless: { steps: 1e9 },
    seeded: true,
    invalid: [
      { convexes: 0 },
      { planesPerConvex: 3 },
      { slope: [10, 0] },
      { dim: 4 },
      { jitter: 0 },
      { poolSize: 1.5 },
    ],
    nonFinite: [() => fitShape({ points: [Number.NaN, 0, 0], values: [1] }, tiny)],
  },
  tools,
);

runConformance(
  "fitShape, from samples",
  {
    run: (options) => fitShape({ points, values }, { ...tiny, ...options }),
    limit: "steps",
    short: 6,
    endless: { steps: 1e9 },
    seeded: true,
    invalid: [{ pointsPerStep: 0 }, { learningRate: -1 }, { radius: 0 }],
    nonFinite: [() => fitShape({ points, values: [Number.NaN] }, tiny)],
  },
  tools,
);

const flattened = linear({ inputs: 64, outputs: 8 });
const model = bspAutoEncoder({
  ...{ dim: 2, resolution: 8, ef: 1, hidden: [6], planes: 8, convexes: 3 },
  // Convolutions would take most of the time that a step compiles, and have no part in the contract.
  encoder: { init: flattened.init, apply: (params: LinearParams, x) => flattened.apply(params, reshape(x, [-1, 64])) },
});
const images = random.rng(2).bernoulli([6, 8, 8], { probability: 0.4, dtype: "float32" });
const pixels = Array.from({ length: 64 }, (_, k) => [((k % 8) + 0.5) / 8 - 0.5, (Math.floor(k / 8) + 0.5) / 8 - 0.5]);
const source = shapeSamples({ inputs: images, points: pixels, values: images.reshape([6, 64]) });
const training: FitOptions = {
  schedule: [
    { phase: 0, steps: 3 },
    { phase: 1, steps: 1 },
    { phase: 1, steps: 4 },
  ],
  batchSize: 2,
};

runConformance(
  "fitAutoEncoder, over three stages",
  {
    run: ({ long, ...options }) =>
      fitAutoEncoder(model, source, {
        ...training,
        ...(long ? { schedule: [{ phase: 0, steps: 1e9 }] } : {}),
        ...options,
      }),
    limit: "steps",
    short: 7,
    endless: { long: true, steps: 1e9 },
    seeded: true,
    invalid: [{ batchSize: 0 }, { learningRate: 0 }, { beta1: 2 }, { schedule: [] }, { phase: 3 }],
    nonFinite: [
      () =>
        fitAutoEncoder(
          model,
          shapeSamples({ inputs: images.mul(Number.NaN), points: pixels, values: images.reshape([6, 64]) }),
          training,
        ),
    ], // prettier-ignore
  },
  tools,
);

const encoder = linear({ inputs: 64, outputs: 4 });
const flat = images.reshape([6, 64]);
const codes = random.rng(3).normal([6, 4]);

runConformance(
  "fitCodes",
  {
    run: (options) => fitCodes(encoder, flat, codes, { batchSize: 3, ...options }),
    limit: "epochs",
    short: 3,
    endless: { epochs: 1e9 },
    seeded: true,
    invalid: [{ batchSize: 0 }, { learningRate: -1 }],
    nonFinite: [() => fitCodes(encoder, flat.mul(Number.POSITIVE_INFINITY), codes, { epochs: 1 })],
  },
  tools,
);

it("fitAutoEncoder ended right after phase 0 gives parameters of phase 0", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const abortAfter = ({ step }: { step: number }) => {
    if (step === 3) controller.abort();
  };
  const aborted = await fitAutoEncoder(model, source, { ...training, signal, onProgress: abortAfter });
  expect([aborted.status, aborted.phase]).toEqual(["aborted", 0]);
  const resumed = await fitAutoEncoder(model, source, { ...training, resume: aborted.state });
  expect([resumed.steps, resumed.phase]).toEqual([8, 1]);
});
