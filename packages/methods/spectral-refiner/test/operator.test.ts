import { extendModes } from "@offprint/spectral";
import { grad, random, type Tensor, tensor, tree } from "@offprint/tensor-core";
import { errorLike, expectClose, expectGradient, scattered } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  flowOperator,
  forcedFlows,
  forecastFrames,
  framesOf,
  persistence,
  relativeError,
  reliabilityBound,
} from "../src/index.js";

const operator = flowOperator({ modes: [2, 2, 3], width: 4, layers: 2, latentFrames: 4 });
const params = operator.init(random.rng(0), "float64");
const window = scattered([2, 5, 6, 6]);

/** Parameters whose last layer adds nothing. */
const silent = { ...params, output: tree.map((x: Tensor) => x.mul(0), params.output) };

it("the relative error does not depend on the unit of the flows, however large or small", () => {
  const [truth, predicted] = [1, 2].map((seed) => random.rng(seed).normal([2, 3, 4, 4], { dtype: "float64" }));
  const expected = relativeError(predicted, truth).item();
  for (const unit of [1e200, 1e-200]) {
    expect(relativeError(predicted.mul(unit), truth.mul(unit)).item()).toBeCloseTo(expected, 12);
  }
});

describe("the operator", () => {
  it("gives as many frames as are asked for, of windows of any length, on any grid", () => {
    for (const [given, wanted, n] of [
      [4, 3, 6],
      [6, 10, 6],
      [5, 7, 12],
    ]) {
      expect(operator.apply(params, scattered([1, given, n, n]), wanted).shape).toEqual([1, wanted, n, n]);
    }
    expect(operator.latent(params, window).shape).toEqual([2, 1, 6, 6, 4]);
  });

  it("without its last layer repeats the last frame", () => {
    const y = operator.apply(silent, window, 3);
    for (let t = 0; t < 3; t++) expectClose(y.slice([null, t]), window.slice([null, 4]), 1e-14);
  });

  it("is the same flow by flow, and as a forecast", () => {
    const y = operator.apply(params, window, 4);
    for (let i = 0; i < 2; i++) {
      const forecast = operator.forecast(params, window.slice([i]), 4);
      expectClose(framesOf(forecast), y.slice([i]), 1e-12);
    }
  });

  it("does the same on a finer grid, where the field is smooth", () => {
    // Encodings are of the points, so that place enters alike at the corners alone: take it out.
    const of = (n: number) => {
      const waves = Float64Array.from({ length: 5 * n * n }, (_, i) => {
        const [t, a, b] = [Math.floor(i / (n * n)), Math.floor(i / n) % n, i % n];
        return Math.sin((2 * Math.PI * (a + b)) / n + t);
      });
      return tensor(waves, { shape: [1, 5, n, n] });
    };
    const [coarse, fine] = [12, 24].map((n) => operator.apply(params, of(n), 3));
    const every = fine.slice([null, null, { step: 2 }, { step: 2 }]);
    const size = coarse
      .sub(of(12).slice([null, { start: 4 }]))
      .square()
      .mean()
      .sqrt()
      .item();
    expect(every.sub(coarse).square().mean().sqrt().item()).toBeLessThan(0.3 * size);
  });

  it("takes a smooth activation, which is that of the saved file, too", () => {
    const smooth = flowOperator({ modes: [2, 2, 3], width: 4, layers: 2, latentFrames: 4, activation: "gelu" });
    const y = smooth.apply(params, window, 3);
    expect(
      y
        .sub(operator.apply(params, window, 3))
        .abs()
        .max()
        .item(),
    ).toBeGreaterThan(1e-3);
    // The change of the flow has a derivative everywhere: twice differenced it is small.
    const along = (h: number) =>
      smooth
        .latent({ ...params, project: { ...params.project, weight: params.project.weight.add(h) } }, window)
        .sum()
        .item();
    const [left, right] = [along(0) - along(-1e-4), along(1e-4) - along(0)];
    expectClose(left / right, 1, 1e-2);
    const again = flowOperator(JSON.parse(JSON.stringify(smooth.config)));
    expectClose(again.apply(params, window, 3), y, 0);
  });

  it("has the gradients of differences", () => {
    const loss = (re: Tensor, im: Tensor) => {
      const own = { ...params, output: { weight: { re, im }, bias: params.output.bias } };
      return operator.apply(own, window, 2).square().sum();
    };
    expectGradient(loss, [params.output.weight.re, params.output.weight.im]);
    const whole = grad((p: typeof params) => operator.apply(p, window, 2).square().sum())(params);
    const nudged = (h: number) =>
      operator
        .apply({ ...params, project: { ...params.project, weight: params.project.weight.add(h) } }, window, 2)
        .square()
        .sum()
        .item();
    const slope = (nudged(1e-5) - nudged(-1e-5)) / 2e-5;
    expectClose(whole.project.weight.sum().item(), slope, { relative: 1e-5 });
  });

  it("refuses what it cannot take", () => {
    const cases: [() => unknown, ReturnType<typeof errorLike>][] = [
      [() => flowOperator({ modes: [2, 2, 2], width: 5 }), errorLike("ValueError", /width is 5/)],
      [() => flowOperator({ modes: [2, 2, 2], width: 2 }), errorLike("ValueError", /width/)],
      [
        () => flowOperator({ modes: [2, 2, 2], width: 4, activation: "tanh" as "relu" }),
        errorLike("ValueError", /activation is "tanh".*relu.*gelu/),
      ],
      [
        () => flowOperator({ modes: [2, 2, 2], width: 4, delta: "1" as never }),
        errorLike("ValueError", /delta is 1; it/),
      ],
      [() => flowOperator({ modes: [2, 2, 2], width: 4, beta: Number.NaN }), errorLike("ValueError", /beta is NaN/)],
      [() => forcedFlows({ points: 7 }), errorLike("ValueError", /points is 7; it must be even/)],
      [
        () => reliabilityBound({ initialError: 0, spacing: 1, viscosity: 1 } as never),
        errorLike("ValueError", /perFrame must be the norms/),
      ],
      [() => operator.apply(params, scattered([1, 3, 6, 6]), 2), errorLike("ShapeError", /at least latentFrames/)],
      [() => operator.apply(params, scattered([1, 5, 7, 7]), 2), errorLike("ShapeError", /even n/)],
      [() => operator.apply(params, scattered([1, 5, 6, 8]), 2), errorLike("ShapeError", /\[batch, frames, n, n\]/)],
      [() => operator.apply(params, scattered([1, 5, 2, 2]), 2), errorLike("ShapeError", /do not fit/)],
      [() => operator.forecast(params, window, 2), errorLike("ShapeError", /\[frames, n, n\]/)],
      [() => persistence(scattered([6, 6]).mul(Number.NaN), 3), errorLike("ValueError", /last/)],
    ];
    for (const [run, error] of cases) expect(run).toThrow(error);
  });
});

describe("a forecast", () => {
  const forecast = operator.forecast(params, window.slice([0]), 4);
  const times = { n: 6, length: forecast.length, first: 0, frames: 4 };

  it("is affine in its coefficients", () => {
    const { re, im } = forecast.coefficients;
    const of = (a: number) => forecastFrames({ re: re.mul(a), im: im.mul(a) }, times);
    expectClose(of(3), of(1).add(of(2)), 1e-12);
    expectClose(of(0), of(1).mul(0), 0);
  });

  it("has the derivative in time that differences tend to", () => {
    const rate = forecastFrames(forecast.coefficients, { ...times, spacing: 0.2 });
    const dense = forecastFrames(forecast.coefficients, { ...times, oversample: 64 });
    for (let t = 1; t < 4; t++) {
      const [before, after] = [-1, 1].map((k) => dense.slice([64 * t + k]));
      const difference = after.sub(before).mul(64 / (2 * 0.2));
      expectClose(rate.slice([t]), difference, { absolute: 2e-3 * rate.abs().max().item() });
    }
  });

  it("is the same with more modes, in which its coefficients are copied", () => {
    const coefficients = extendModes(forecast.coefficients, forecast.modes, [3, 3, 5]);
    expectClose(framesOf({ ...forecast, coefficients, modes: [3, 3, 5] }), framesOf(forecast), 1e-13);
  });

  it("without a network stays at the last frame", () => {
    const still = persistence(window.slice([0, 4]), 3);
    expectClose(framesOf(still).slice([2]), window.slice([0, 4]), 0);
  });
});
