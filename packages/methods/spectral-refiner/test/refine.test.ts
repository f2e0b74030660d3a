import { runConformance } from "@offprint/solvers/conformance";
import { gaussianRandomField, laplacian, navierStokes, type StiffSystem, sobolevNorm, torus } from "@offprint/spectral";
import { mul, random, stack, tensor, tree } from "@offprint/tensor-core";
import { errorLike, expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  decayingFlows,
  estimate,
  estimateForecast,
  fitOperator,
  flowOperator,
  forcedFlows,
  forecastFrames,
  framesOf,
  generateFlows,
  persistence,
  type RefineOptions,
  refine,
  reliabilityBound,
  taylorGreen,
} from "../src/index.js";

const family = forcedFlows({ points: 8 });
const { frames } = await generateFlows(family, {
  count: 4,
  rng: random.rng(1),
  stepSize: 0.02,
  spacing: 0.2,
  warmUp: 2,
  frames: 16,
});
const known = frames.slice([0, 5]);
const truth = frames.slice([0, { start: 6, stop: 12 }]);
const still = persistence(known, 6);
const run = (options: Partial<RefineOptions> = {}) => refine(family.system, still, { spacing: 0.2, ...options });
const distance = (x: typeof truth) => x.sub(truth).square().mean().sqrt().item();

describe("the estimate", () => {
  it("of an exact flow with its exact derivative is 0", () => {
    const grid = torus({ points: [8, 8] });
    const nu = 0.01;
    const decay = -2 * nu * (2 * Math.PI) ** 2;
    const exact = stack([0, 0.1, 0.2, 0.3, 0.4].map((t) => taylorGreen(grid, t, nu)));
    const system = navierStokes(grid, { viscosity: nu });
    expect(estimate(system, exact, { spacing: 0.1, rate: exact.mul(decay) }).eta).toBeLessThan(1e-12);
    expect(estimate(system, exact, { spacing: 0.1 }).eta).toBeLessThan(1e-2);
  });

  it("of a solver's flow falls as the fourth power of the spacing of its frames", async () => {
    const etas: number[] = [];
    for (const spacing of [0.2, 0.1]) {
      const settings = { count: 1, rng: random.rng(2), stepSize: 0.0025, spacing, warmUp: 2, frames: 6 };
      const flow = (await generateFlows(family, settings)).frames.slice([0]);
      etas.push(estimate(family.system, flow, { spacing }).eta);
    }
    expect(etas[0] / etas[1]).toBeGreaterThan(8);
  });

  it("bounds the error of a linear flow", () => {
    const grid = torus({ points: [8, 8] });
    const nu = 0.05;
    const heat = navierStokes(grid, { viscosity: nu });
    const linear: StiffSystem = { ...heat, nonlinear: (w) => tree.map((x: typeof known) => mul(x, 0), w) };
    const spacing = 0.01;
    const [shape, other] = [3, 4].map((seed) => gaussianRandomField(grid, random.rng(seed)));
    // An error that begins at 0 and grows: e(t) = t shape + t^2 other; the exact flow is 0.
    const times = Array.from({ length: 101 }, (_, i) => i * spacing);
    const error = stack(times.map((t) => shape.mul(t).add(other.mul(t * t))));
    const rate = stack(times.map((t) => shape.add(other.mul(2 * t))));
    const { perFrame } = estimate(linear, error, { spacing, rate, shift: 1e-12 });
    const slopes = Float64Array.from(sobolevNorm(grid, error, { order: 1, shift: 0 }).square().data());
    const integral = slopes.reduce((sum, s, i) => sum + (i === 0 || i === 100 ? 0.5 : 1) * s * spacing, 0);
    const bound = reliabilityBound({ initialError: 0, perFrame, spacing, viscosity: nu });
    expect(nu * integral).toBeLessThanOrEqual(bound);
    expectClose(laplacian(grid, shape).mean().item(), 0, 1e-12);
  });
});

describe("refine", () => {
  it("brings the last frame near the flow, and its estimate down", async () => {
    const before = estimateForecast(family.system, still, { spacing: 0.2 });
    const { frames: refined, eta, initialError, forecast, objective } = await run();
    expect(distance(refined)).toBeLessThan(distance(framesOf(still)) / 20);
    expect(eta).toBeLessThan(before.eta / 20);
    expect(initialError).toBeLessThan(1e-3);
    expectClose(objective, eta ** 2 + initialError ** 2, 1e-12);
    expectClose(framesOf(forecast), refined, 1e-12);
    expectClose(estimateForecast(family.system, forecast, { spacing: 0.2, oversample: 1 }).eta, eta, 1e-12);
    expectClose(refined.mean([1, 2]), framesOf(still).mean([1, 2]), 1e-12);
  });

  it("looks at no more times than memory holds", async () => {
    const many = { spacing: 0.2, oversample: 1e6 };
    const message = /oversample 1000000 asks for frames of .* more than 1 GB; give \d+ at most/;
    await expect(refine(family.system, still, many)).rejects.toThrow(message);
    expect(() => estimateForecast(family.system, still, many)).toThrow(message);
    const { last, length, frames, coefficients } = still;
    const times = { n: last.shape[0], length, first: 0, frames, oversample: 1e6 };
    expect(() => forecastFrames(coefficients, times)).toThrow(message);
    expect(() => forecastFrames(coefficients, { ...times, oversample: 0.5 })).toThrow(/oversample is 0.5/);
  });

  it("of flows in a small unit ends no sooner, where they are nearly linear", async () => {
    const decaying = navierStokes(family.system.grid, { viscosity: 0.01 });
    const refined = async (unit: number) => {
      const start = persistence(known.mul(unit), 6);
      const { frames: found, eta } = await refine(decaying, start, { spacing: 0.2, maxIterations: 40 });
      return { frames: found.div(unit), eta: eta / unit };
    };
    const [usual, small] = [await refined(1e-3), await refined(1e-8)];
    expect(small.eta / usual.eta).toBeCloseTo(1, 1);
    expectClose(small.frames, usual.frames, { ofLargest: 0.02 });
  });

  it("goes on from a refined forecast, with more modes", async () => {
    const first = await run({ modes: [2, 2, 4], maxIterations: 60 });
    const second = await refine(family.system, first.forecast, { spacing: 0.2, maxIterations: 60 });
    expect(second.objective).toBeLessThan(first.objective);
  });

  it("in convex rounds arrives as well, and a broken off run goes on", async () => {
    const whole = await run({ rounds: 3, maxIterations: 90 });
    expect(distance(whole.frames)).toBeLessThan(distance(framesOf(still)) / 20);
    const part = await run({ rounds: 3, maxIterations: 90, onProgress: () => "stop" });
    expect(part.iterations).toBe(30);
    const saved = tree.fromJson(tree.toJson(part.state)) as typeof part.state;
    const rest = await run({ rounds: 3, maxIterations: 90, resume: saved });
    expectClose(rest.frames, whole.frames, 0);
  });

  it("by Adam lowers the objective, too; L-BFGS lowers it further", async () => {
    const adam = await run({ method: "adam", learningRate: 0.1, maxIterations: 40 });
    expect(adam.objective).toBeLessThan(0.5 * (adam.history[0]?.objective ?? 0));
    expect((await run({ maxIterations: 40 })).objective).toBeLessThan(adam.objective);
  });

  it("ends when the goal is reached", async () => {
    const { status, objective } = await run({ tolerance: 0.01 });
    expect(status).toBe("converged");
    expect(Math.sqrt(objective)).toBeLessThanOrEqual(0.01);
  });

  it("refines a network's weights as well", async () => {
    const operator = flowOperator({ modes: [2, 2, 2], width: 4, layers: 1, latentFrames: 4 });
    const { params, history } = await fitOperator(operator, tensor(frames, { dtype: "float32" }), {
      window: [6, 6],
      epochs: 3,
      batchSize: 4,
    });
    expect(history.length).toBe(3);
    const start = operator.forecast(params, tensor(frames.slice([0, { stop: 6 }]), { dtype: "float32" }), 6);
    const options = { spacing: 0.2, maxIterations: 30, modes: [4, 4, 4] as const };
    const { objective, history: course } = await refine(family.system, start, { ...options, weights: true });
    expect(objective).toBeLessThan(course[0]?.objective ?? 0);
    await expect(run({ weights: true })).rejects.toThrow(errorLike("ValueError", /network's forecast/));
    // Weights have a rate of their own: of next to none they stay, and the biases go the way that they go alone.
    const byAdam = (more: Partial<RefineOptions>) =>
      refine(family.system, start, { ...options, method: "adam", maxIterations: 10, ...more });
    const [alone, still, moved] = [
      await byAdam({}),
      await byAdam({ weights: true, weightsLearningRate: 1e-14 }),
      await byAdam({ weights: true }),
    ];
    expectClose(still.frames, alone.frames, 1e-9);
    expect(moved.frames.sub(alone.frames).abs().max().item()).toBeGreaterThan(1e-6);
    await expect(byAdam({ weights: true, weightsLearningRate: -1 })).rejects.toThrow(/weightsLearningRate is -1/);
  });

  it("refuses what does not fit", async () => {
    const bad: [Partial<RefineOptions>, string, RegExp][] = [
      [{ modes: [5, 4, 4] }, "ShapeError", /do not fit/],
      [{ modes: [4, 4, 12] }, "ShapeError", /do not fit/],
      [{ rounds: 2, method: "adam" }, "ValueError", /rounds/],
      [{ weights: "no" as never }, "ValueError", /weights is "no"; it must be one of true, false/],
      [{ learningRate: 0.1 }, "ValueError", /learningRate is of the other method, and this is "lbfgs"/],
      [{ memory: 5, method: "adam" }, "ValueError", /memory is of the other method, and this is "adam"/],
    ];
    for (const [options, name, message] of bad) await expect(run(options)).rejects.toThrow(errorLike(name, message));
    const other = persistence(known.slice([{ stop: 6 }, { stop: 6 }]), 6);
    await expect(refine(family.system, other, { spacing: 0.2 })).rejects.toThrow(
      errorLike("ShapeError", /known frame/),
    );
  });
});

it("decaying flows begin with energy one", () => {
  const { system, draw } = decayingFlows({ points: 16 });
  const w = draw(random.rng(5), 2);
  const energy = sobolevNorm(system.grid, w, { order: -1, shift: 0 }).square().mul(2);
  expectClose(energy, [1, 1], 1e-12);
});

runConformance(
  "refine",
  {
    run: (options) => run({ modes: [2, 2, 3], gradientTolerance: 0, ...options }),
    limit: "maxIterations",
    short: 6,
    endless: { maxIterations: 1e7, gradientTolerance: 0, modes: [4, 4, 9] },
    seeded: false,
    outcome: ({ frames: refined, eta, status, iterations, history }) => ({ refined, eta, status, iterations, history }),
    invalid: [{ spacing: 0 }, { initialWeight: -1 }, { method: "newton" }, { oversample: 0 }, { shift: 0 }],
    nonFinite: [() => refine(family.system, { ...still, last: known.mul(Number.NaN) }, { spacing: 0.2 })],
  },
  { describe, expect, it },
);

const small = flowOperator({ modes: [1, 1, 2], width: 4, layers: 1, latentFrames: 3 });
runConformance(
  "fitOperator",
  {
    run: (options) =>
      fitOperator(small, tensor(frames, { dtype: "float32" }), { window: [3, 3], batchSize: 2, epochs: 3, ...options }),
    limit: "epochs",
    short: 3,
    endless: { epochs: 1e6 },
    seeded: true,
    invalid: [{ batchSize: 0 }, { learningRate: 0 }],
    nonFinite: [() => fitOperator(small, frames.mul(Number.NaN), { window: [3, 3], epochs: 1 })],
    outcome: ({ params, status, history }) => ({ params, status, history }),
  },
  { describe, expect, it },
);
