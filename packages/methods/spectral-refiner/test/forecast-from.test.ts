import { navierStokes, torus } from "@offprint/spectral";
import { arange, random, stack, type Tensor } from "@offprint/tensor-core";
import { expect, it } from "vitest";
import {
  decayingFlows,
  estimateForecast,
  forecastFrom,
  framesOf,
  generateFlows,
  refine,
  taylorGreen,
} from "../src/index.js";

const viscosity = 2e-3;
const grid = torus({ points: [8, 8], length: 1 });
const system = navierStokes(grid, { viscosity });
/** A vortex that decays, exactly. */
const frames = stack(Array.from({ length: 9 }, (_, i) => taylorGreen(grid, 0.2 * i, viscosity)));
const last = frames.slice([0]);
const forecast = frames.slice([{ start: 1 }]);
const relative = (x: Tensor, y: Tensor) => Math.sqrt(x.sub(y).square().mean().item() / y.square().mean().item());

it("passes by the frames that it is given, the nearer the less it smooths", () => {
  const errors = [1e-2, 1e-5, 1e-8].map((smoothing) =>
    relative(framesOf(forecastFrom(last, forecast, { smoothing })), forecast),
  );
  expect(errors[0]).toBeGreaterThan(errors[1]);
  expect(errors[1]).toBeGreaterThan(errors[2]);
  expect(errors[2]).toBeLessThan(1e-5);
});

it("is judged by the estimate, which is small for an exact flow only", () => {
  const eta = (x: Tensor) => estimateForecast(system, forecastFrom(last, x, { smoothing: 1e-8 }), { spacing: 0.2 }).eta;
  expect(eta(forecast.mul(1.1))).toBeGreaterThan(20 * eta(forecast));
});

it("is refined to the flow, whether it is noisy or wrong by more and more", async () => {
  const family = decayingFlows({ points: 8, length: 1, viscosity: 2e-3 });
  const settings = { count: 1, rng: random.rng(4), stepSize: 0.01, spacing: 0.1, warmUp: 0.5, frames: 9 };
  const flow = (await generateFlows(family, settings)).frames.slice([0]);
  const [known, truth] = [flow.slice([0]), flow.slice([{ start: 1 }])];
  const size = truth.square().mean().sqrt();
  const noise = random.rng(0).normal(truth.shape, { std: 0.03, dtype: "float64" }).mul(size);
  const drift = known.mul(arange(1, 9, 1, "float64").reshape([8, 1, 1]).mul(0.02));
  for (const error of [noise, drift]) {
    const wrong = truth.add(error);
    const refined = await refine(family.system, forecastFrom(known, wrong), { spacing: 0.1, maxIterations: 200 });
    expect(relative(refined.frames, truth)).toBeLessThan(relative(wrong, truth) / 6);
  }
});

it("refuses frames that are none", () => {
  expect(() => forecastFrom(last, last)).toThrow(/\[frames, 8,8\] with four frames/);
  expect(() => forecastFrom(last.slice([{ stop: 4 }]), forecast)).toThrow(/even n/);
  expect(() => forecastFrom(last, forecast.mul(Number.NaN))).toThrow(/finite/);
  expect(() => forecastFrom(last, forecast, { smoothing: 0 })).toThrow(/smoothing/);
});
