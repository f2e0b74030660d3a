import { loadParameters, saveParameters } from "@offprint/nn";
import { sgd } from "@offprint/optim";
import { runConformance } from "@offprint/solvers/conformance";
import { random, type Tensor } from "@offprint/tensor-core";
import { expectClose, expectGradient, f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  continuousSchedule,
  ddimSample,
  discreteSchedule,
  fitDenoiser,
  gaussianMixture,
  harmonicFeatures,
  levelAt,
  levelTensors,
  networkDenoiser,
  sinusoidalFeatures,
  smallUnet,
  timeMlp,
} from "../src/index.js";
import { normal } from "./problems.js";

const schedule = continuousSchedule();

it("a network learns two points, and its samples lie there", async () => {
  const mixture = gaussianMixture({ means: [[-1], [1]], variances: 0.01 });
  const { x } = mixture.sample(random.rng(1), 512);
  const network = timeMlp({ size: 1, hidden: [32, 32] });
  const { denoiser, history, steps, status } = await fitDenoiser(network, x, {
    schedule,
    steps: 1000,
    learningRate: 1e-2,
    batchSize: 128,
    dtype: "float64",
  });
  expect([steps, status, history.length]).toEqual([1000, "limit", 1000]);
  const samples = await ddimSample(denoiser, normal(2, [200, 1]), { steps: 30 });
  const near = [...samples.x.data()].filter((v) => Math.abs(Math.abs(v) - 1) < 0.4).length;
  expect(near).toBeGreaterThan(180);
});

it("a U-Net is told time and condition, keeps shapes, and its gradients are right", () => {
  const unet = smallUnet({ channels: 2, width: 4, conditionSize: 3 });
  const params = unet.init(random.rng(3), "float64");
  const z = normal(4, [2, 2, 4, 6]);
  const at = (t: number) => levelTensors(levelAt(schedule, t));
  const output = unet.apply(params, z, at(0.5), normal(5, [2, 3]));
  expect(output.shape).toEqual([2, 2, 4, 6]);
  const moved = unet.apply(params, z, at(0.9), normal(5, [2, 3]));
  const told = unet.apply(params, z, at(0.5), normal(6, [2, 7, 3]));
  for (const other of [moved, told]) expect(Math.max(...output.sub(other).abs().data())).toBeGreaterThan(1e-4);
  expectGradient((x: Tensor) => unet.apply(params, x, at(0.5), f64([[0.1, 0.2, 0.3]])), [normal(7, [1, 2, 2, 2])]);
  expectClose(loadParameters(saveParameters(params), params), params, 0);
  const denoiser = networkDenoiser(unet, params, { schedule, dtype: "float64" });
  expectClose(denoiser.predict(z, at(0.5), normal(5, [2, 3])) as Tensor, output, 0);
});

it("time features: sines of multiples, and the usual embedding", () => {
  expectClose(harmonicFeatures(f64([0.3]), 2), [[Math.sin(0.3), Math.sin(0.6), Math.cos(0.3), Math.cos(0.6)]], 1e-14);
  expectClose(sinusoidalFeatures(f64([7]), 4), [[Math.cos(7), Math.cos(0.07), Math.sin(7), Math.sin(0.07)]], 1e-12);
});

const data = normal(8, [64, 2]);
runConformance(
  "fitDenoiser",
  {
    run: (options) =>
      fitDenoiser(timeMlp({ size: 2, hidden: [8] }), data, { schedule: discreteSchedule(), batchSize: 16, ...options }),
    limit: "steps",
    short: 5,
    endless: { steps: 1e6 },
    seeded: true,
    invalid: [{ batchSize: 0 }, { prediction: "image" }],
    nonFinite: [() => fitDenoiser(timeMlp({ size: 1 }), [[Number.NaN]], { schedule, steps: 2 })],
    outcome: ({ params, history }) => ({ params, history }),
  },
  { describe, it, expect },
);

it("a rate beside an optimizer, which has its own, is refused", async () => {
  const rates = { optimizer: sgd({ learningRate: 1 }), learningRate: 0.1 };
  await expect(fitDenoiser(timeMlp({ size: 1 }), [[1]], { schedule, steps: 1, ...rates })).rejects.toThrow(
    "fitDenoiser: learningRate does nothing with an optimizer",
  );
});
