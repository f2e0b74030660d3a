import { grad, random, type Tensor, zeros } from "@offprint/tensor-core";
import { errorLike, expectClose, f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  axisConvolution,
  derivative,
  divergence,
  gaussianRandomField,
  navierStokes,
  type SimulateOptions,
  simulate,
  sobolevNorm,
  spectralConvolution,
  toField,
  torus,
} from "../src/index.js";

const grid = torus({ points: [8, 8] });
const flow = navierStokes(grid, { viscosity: 0.01 });
const start = random.rng(0).normal([8, 8], { dtype: "float64" });
const usual = { stepSize: 0.01, frames: 3, spacing: 0.1 };
const run = (options: Partial<SimulateOptions> = {}, initial: Tensor = start) =>
  simulate(flow, initial, { ...usual, ...options });

describe("simulate", () => {
  it("goes on with the frames it was begun with, to more of them", async () => {
    const { state } = await run({ frames: 2 });
    expectClose((await run({ resume: state })).frames, (await run()).frames, 0);
  });

  it("refuses states whose frames would be at other times, or of other fields", async () => {
    const { state } = await run({ frames: 2 });
    for (const [options, what] of [
      [{ spacing: 0.05 }, "spacing in steps 10, not 5"],
      [{ stepSize: 0.02 }, "stepSize 0.01, not 0.02"],
      [{ warmUp: 1 }, "warmUp in steps 10, not 100"],
    ] as const) {
      await expect(run({ ...options, resume: state })).rejects.toThrow(what);
    }
    await expect(run({ resume: state }, zeros([3, 8, 8], "float64"))).rejects.toThrow(
      "spectrum.re is a float64 tensor",
    );
    const damaged = { ...state, inner: { ...state.inner, frames: undefined } } as never;
    await expect(run({ resume: damaged })).rejects.toThrow(errorLike("ValueError", /^simulate: resume has no frames/));
  });

  it("computes in the type of its system", async () => {
    expect((await run({}, start.cast("float32"))).frames.dtype).toBe("float64");
    const coarse = navierStokes(grid, { viscosity: 0.01, dtype: "float32" });
    expect((await simulate(coarse, start, usual)).frames.dtype).toBe("float32");
  });

  it("refuses what is no system or scheme", async () => {
    await expect(run({ scheme: {} as never })).rejects.toThrow(errorLike("ValueError", /^simulate: scheme is /));
    await expect(simulate({} as never, start, usual)).rejects.toThrow(errorLike("ValueError", /not a StiffSystem/));
  });
});

it.each([
  [() => torus({ points: [4], length: null as never }), "ValueError", /^torus: length is null/],
  [() => derivative(undefined as never, start, 0), "ValueError", /^derivative: grid is undefined/],
  [() => toField(grid, { re: zeros([8, 5]), im: zeros([1]) }), "ShapeError", /^toField: the parts have shapes \[8,5\]/],
  [() => divergence(grid, zeros([3, 8, 8])), "ShapeError", /^divergence: .*the 2 directions/],
  [() => divergence(grid, zeros([8, 8])), "ShapeError", /^divergence: /],
  [() => gaussianRandomField(grid, random.rng(0), { dtype: "int32" as never }), "ValueError", /dtype is "int32"/],
  [() => navierStokes(grid, { viscosity: 1, dtype: "int32" as never }), "ValueError", /dtype is "int32"/],
  [() => navierStokes(grid, { viscosity: 1, dealias: 0 }), "ValueError", /^navierStokes: dealias is 0/],
  [() => spectralConvolution({ inputs: 1, outputs: 1, modes: [2], bias: Number.NaN }), "ValueError", /bias is NaN/],
] as const)("refusal %#", (call, kind, message) => {
  expect(call).toThrow(errorLike(kind, message));
});

describe("layers on grids", () => {
  const input = zeros([1, 1, 8, 8]);

  it("say where they cannot change the number of points", () => {
    const layer = axisConvolution({ inputs: 1, outputs: 1, modes: [2, 2] });
    const params = layer.init(random.rng(0));
    expect(layer.apply(params, input, [8, 8]).shape).toEqual([1, 1, 8, 8]);
    expect(() => layer.apply(params, input, [16, 16])).toThrow(errorLike("UnsupportedError", /keeps the number/));
  });

  it("refuse weights of other modes, though they are as many numbers", () => {
    const params = spectralConvolution({ inputs: 1, outputs: 1, modes: [1, 4] }).init(random.rng(0));
    const layer = spectralConvolution({ inputs: 1, outputs: 1, modes: [2, 2] });
    expect(() => layer.apply(params, input)).toThrow(errorLike("ShapeError", /the weights have shape \[1,1,2,4\]/));
    expect(() => layer.apply(layer.init(random.rng(0)), input, [4.5, 8])).toThrow(
      errorLike("ValueError", /points is 4.5/),
    );
  });
});

it("the norm of a field that is 0 has the slope 0", () => {
  expectClose(
    grad((x: Tensor) => sobolevNorm(torus({ points: [4] }), x, { order: 1 }))(f64([0, 0, 0, 0])),
    [0, 0, 0, 0],
    0,
  );
});
