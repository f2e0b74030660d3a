import { add, random, type Tensor, tensor, zeros } from "@offprint/tensor-core";
import { errorLike, expectClose, f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  continuousSchedule,
  convertPrediction,
  ddimInvert,
  ddimSample,
  discreteSchedule,
  dpmSolverSample,
  edmSample,
  explodingSchedule,
  fitDenoiser,
  frechetDistance,
  gaussianMixture,
  halfLogSnr,
  levelAt,
  levelAtRatio,
  levelGrid,
  levelTensors,
  type SamplerOptions,
  type SamplerState,
  smallUnet,
  timeMlp,
} from "../src/index.js";
import { normal } from "./problems.js";

const schedule = discreteSchedule();

describe("at levels with hardly any noise", () => {
  const means = [
    [-1, 0],
    [1, 0.5],
  ];
  const full = [
    [
      [0.2, 0.1],
      [0.1, 0.3],
    ],
    [
      [0.1, 0],
      [0, 0.2],
    ],
  ];
  const z = f64([0.3, -0.2, 1.2, 0.4], [2, 2]);

  it.each([1e-3, 1e-7, 1e-9, 0])("the Hessian of a mixture keeps its digits: sigma = %s", (sigma) => {
    const level = levelTensors({ t: 0, timestep: 0, alpha: 1, sigma });
    for (const mixture of [gaussianMixture({ means, covariances: full }), gaussianMixture({ means, variances: 0.3 })]) {
      const hessian = mixture.hessian(z, level);
      const h = 1e-5;
      for (const j of [0, 1]) {
        const moved = (by: number) => mixture.score(add(z, tensor([j === 0 ? by : 0, j === 1 ? by : 0])), level);
        const slopes = moved(h)
          .sub(moved(-h))
          .div(2 * h);
        expectClose(hessian.slice([null, null, j]), slopes, 1e-7);
      }
    }
  });

  it("a schedule's beginning has no noise and an infinite ratio", () => {
    expect(halfLogSnr(schedule.at(0)).item()).toBe(Number.POSITIVE_INFINITY);
    expect(Object.is(levelAt(schedule, 0).sigma, 0)).toBe(true);
  });
});

it.each([
  [() => levelAt(schedule, 1.5), "ValueError", /^levelAt: t is 1.5; the times of this schedule end at 1/],
  [() => levelAt(schedule, Number.NaN), "ValueError", /^levelAt: t is NaN/],
  [() => levelAtRatio(schedule, -1), "ValueError", /^levelAtRatio: ratio is -1/],
  [() => discreteSchedule({ alphaBar: [] }), "ValueError", /^discreteSchedule: alphaBar is /],
  [() => discreteSchedule({ betas: null as never }), "ValueError", /^discreteSchedule: betas is null/],
  [() => continuousSchedule({ last: Number.POSITIVE_INFINITY }), "ValueError", /last is Infinity/],
  [() => continuousSchedule({ from: 2 }), "ValueError", /from is 2/],
  [
    () => gaussianMixture({ means: [[0]], variances: 1, weigths: [1] } as never),
    "ValueError",
    /did you mean "weights"/,
  ],
  [() => gaussianMixture({ means: [[Number.NaN]], variances: 1 }), "ValueError", /means holds NaN/],
  [() => gaussianMixture({ means: [[0]], variances: 1 }).only([]), "ValueError", /^only: no component is left/],
] as const)("refusal %#", (call, kind, message) => {
  expect(call).toThrow(errorLike(kind, message));
});

it("states of another size are refused, not broadcast", () => {
  const mixture = gaussianMixture({ means: [[-1, 0]], variances: 0.1 });
  const level = levelTensors(levelAt(schedule, 0.5));
  for (const z of [f64([1, 2], [2, 1]), f64([1, 2, 3], [1, 3]), f64([1, 2])]) {
    expect(() => mixture.score(z, level)).toThrow(errorLike("ShapeError", /must be \[batch, 2\]/));
  }
  expect(() => convertPrediction(f64([1]), "noize" as never, "noize" as never, f64([1]), level)).toThrow(
    /from is "noize"/,
  );
});

describe("samplers", () => {
  const mixture = gaussianMixture({ means: [[-1, 0]], variances: 0.1 });
  const denoiser = mixture.denoiser(schedule);
  const z: Tensor = normal(1, [3, 2]);
  const stopped = async (run: typeof ddimSample): Promise<SamplerState> => {
    const onProgress: SamplerOptions["onProgress"] = ({ step }) => (step === 2 ? "stop" : undefined);
    return (await run(denoiser, z, { steps: 5, onProgress })).state;
  };

  it("go on from states of their own only", async () => {
    const state = await stopped(ddimSample);
    const whole = await ddimSample(denoiser, z, { steps: 5 });
    expectClose((await ddimSample(denoiser, z, { steps: 5, resume: state })).x, whole.x, 0);
    await expect(dpmSolverSample(denoiser, z, { steps: 5, resume: state })).rejects.toThrow(
      errorLike("ValueError", /^dpmSolverSample: resume is a state of ddimSample/),
    );
    const up = await stopped(ddimInvert);
    await expect(ddimSample(denoiser, z, { steps: 5, resume: up })).rejects.toThrow(/resume is a state of ddimInvert/);
    const damaged = { ...state, inner: { ...state.inner, carried: undefined } } as never;
    await expect(ddimSample(denoiser, z, { steps: 5, resume: damaged })).rejects.toThrow(
      errorLike("ValueError", /^ddimSample: resume is a state of another problem/),
    );
  });

  it("refuse what a grid that is given leaves nothing to say", async () => {
    const levels = levelGrid(schedule, 3);
    for (const idle of [{ spacing: "trailing" }, { clean: "none" }, { offset: 1 }, { rho: 3 }] as const) {
      await expect(ddimSample(denoiser, z, { levels, ...idle })).rejects.toThrow(/^ddimSample: levels are the grid/);
    }
    await expect(edmSample(denoiser, z, { steps: 2, churn: 1, churnRange: 5 as never })).rejects.toThrow(
      errorLike("ValueError", /^edmSample: churnRange is 5/),
    );
  });
});

describe("training", () => {
  const network = timeMlp({ size: 2 });
  const data = normal(2, [4, 2]);
  const trained = (options: object, x: Tensor = data, net: unknown = network) =>
    fitDenoiser(net as typeof network, x, { schedule, steps: 1, ...options });

  it.each([
    [{}, data, {}, "ValueError", /network.init/],
    [{ schedule: {} }, data, network, "ValueError", /^fitDenoiser: schedule is /],
    [{ schedule: explodingSchedule(), prediction: "velocity" }, data, network, "ValueError", /noise explodes/],
    [{}, zeros([0, 2]), network, "ShapeError", /^fitDenoiser: data has shape \[0,2\]/],
    [{}, data.mul(Number.NaN), network, "ValueError", /^fitDenoiser: data holds NaN/],
    [{ conditions: zeros([4, 1]) }, data, network, "ValueError", /^timeMlp: a condition .* says nothing/],
  ] as const)("refusal %#", async (options, x, net, kind, message) => {
    await expect(trained(options, x, net)).rejects.toThrow(errorLike(kind, message));
  });

  it("a U-Net without conditions refuses one", () => {
    const unet = smallUnet();
    const level = levelTensors(levelAt(schedule, 0.5), "float32");
    const params = unet.init(random.rng(0));
    expect(() => unet.apply(params, zeros([1, 1, 4, 4]), level, zeros([1, 3]))).toThrow(/^smallUnet: a condition/);
  });
});

it("no set is nearer to itself than 0", () => {
  const x = normal(3, [8, 2]);
  expect(frechetDistance(x, x)).toBeGreaterThanOrEqual(0);
});
