import { condition, matern, nngp } from "@offprint/gaussian-process";
import { hostTensor, mul, random, square, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { errorLike, expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  type BoSurrogate,
  dkl,
  ensemble,
  gp,
  hamiltonianMonteCarlo,
  hamiltonianProgram,
  hmc,
  ibnn,
  laplace,
  regressionNetwork,
  sghmc,
} from "../src/index.js";
import { adaptiveStep } from "../src/stochastic-gradient-hmc.js";

const float64 = { dtype: "float64" } as const;
const x = random.rng(1).uniform([14, 2], float64);
const y = x.mul(3).sin().sum(1).mul(4).add(10);
const points = random.rng(2).uniform([5, 2], float64);
const small = { widths: [8], trainingSteps: 200 };

describe("surrogates", () => {
  const all: BoSurrogate[] = [
    ...[gp(), gp({ lengthPrior: "dim-scaled" }), ibnn(), ibnn({ activation: "erf" })],
    ...[hmc({ ...small, burnIn: 30, samples: 20 }), sghmc({ widths: [8], burnIn: 100, samplingSteps: 100 })],
    ...[ensemble({ ...small, members: 3 }), dkl({ ...small, evidenceSteps: 100 })],
    ...[laplace(small), laplace({ ...small, structure: "kron" }), laplace({ ...small, structure: "last-layer" })],
  ];
  for (const surrogate of all) {
    it(`${surrogate.name}: samples have the moments that it tells, in the units of the values, and repeat with the seed`, async () => {
      const posterior = await surrogate.fit(x, y, { rng: random.rng(3) });
      const count = 4000;
      const base = posterior.sampler.base(posterior.model, random.rng(4), count, 5);
      const samples = posterior.sampler
        .values(posterior.model, points, base)
        .mul(posterior.deviation)
        .add(posterior.offset);
      const mean = samples.mean(0);
      const deviation = posterior.variance(points).sqrt();
      expect(posterior.mean(points).sub(mean).div(deviation.add(1e-2)).abs().max().item()).toBeLessThan(0.12);
      const centred = samples.sub(mean);
      const covariance = centred.transpose().matmul(centred).div(count);
      // Laplace adds 1e-4 to what is drawn, of standardised values.
      const scale = posterior.covariance(points).abs().max().item() + 1e-3 * posterior.deviation ** 2;
      expect(covariance.sub(posterior.covariance(points)).abs().max().item() / scale).toBeLessThan(0.15);
      const again = await surrogate.fit(x, y, { rng: random.rng(3) });
      expect(again.mean(points).toArray()).toEqual(posterior.mean(points).toArray());
    });
  }

  it("the infinitely wide network's is the process of its kernel", async () => {
    const posterior = await ibnn({ depth: 2 }).fit(x, y);
    const { mean, kernel: _, ...model } = posterior.model as unknown as { mean: Tensor; kernel: unknown; mask: Tensor };
    expect(model.mask.sum().item()).toBe(14);
    // Its noise is not told; at the observations it is below the values' spread.
    const kernel = nngp({ kind: "fullyConnected", depth: 2, weightVariance: 10, biasVariance: 1.3 });
    const scaled = y.sub(posterior.offset).div(posterior.deviation);
    const exact = condition(kernel, x, scaled, { noise: 1e-4, mean: mean.item() });
    expectClose(posterior.mean(points), exact.mean(points).mul(posterior.deviation).add(posterior.offset), 0.05);
  });

  it("the usual process passes through smooth values", async () => {
    const posterior = await gp().fit(x, y);
    expectClose(posterior.mean(x), y, 0.02);
    expect(posterior.variance(x).max().item()).toBeLessThan(posterior.variance([[3, 3]]).item());
    const rough = condition(matern(), x, y.sub(10), { noise: 1e-4 });
    expect(Math.abs(posterior.mean(points).sub(rough.mean(points).add(10)).max().item())).toBeLessThan(1);
  });

  it("an ensemble of one network that sees all is that network", async () => {
    const own = { ...small, members: 1, part: 1 };
    const posterior = await ensemble(own).fit(x, y, { rng: random.rng(5) });
    expectClose(posterior.variance(points), new Float64Array(5), 1e-12);
  });

  it("variances are searched where that is asked for, and kept", async () => {
    const surrogate = ensemble({ widths: [4], trainingSteps: 20, members: 1, tune: "first" });
    const { memory } = await surrogate.fit(x, y, { rng: random.rng(1) });
    expect(Object.keys(memory as object)).toEqual(["prior", "noise"]);
    const again = await surrogate.fit(x, y, { rng: random.rng(1), memory: { prior: 5, noise: 0.3 } });
    expect(again.memory).toEqual({ prior: 5, noise: 0.3 });
  });

  it("refuse options out of range and observations that are not finite", async () => {
    expect(() => gp({ lengthPrior: "flat" as never })).toThrow(errorLike("ValueError", /lengthPrior/));
    expect(() => ibnn({ depth: 0 })).toThrow(errorLike("ValueError", /depth/));
    expect(() => hmc({ path: 0 })).toThrow(errorLike("ValueError", /path/));
    expect(() => sghmc({ batchSize: 0 })).toThrow(errorLike("ValueError", /batchSize/));
    expect(() => ensemble({ part: 0 })).toThrow(errorLike("ValueError", /part/));
    expect(() => laplace({ structure: "some" as never })).toThrow(errorLike("ValueError", /structure/));
    expect(() => dkl({ widhts: [3] } as never)).toThrow(errorLike("ValueError", /did you mean "widths"/));
    await expect(gp().fit([[0]], [Number.NaN])).rejects.toThrow(errorLike("ValueError", /not finite/));
    await expect(gp().fit([[0], [1]], [1])).rejects.toThrow(errorLike("ShapeError", /\[n\]/));
  });
});

describe("Hamiltonian Monte Carlo", () => {
  const normal = hamiltonianProgram<Tensor>((at, precision) => mul(-0.5, sum(mul(precision, square(at)))));
  const precision = tensor([1, 4], float64);
  const scalar = (v: number) => hostTensor(Float64Array.of(v), [], "float64");

  it("leapfrogs back to where it came from, and its energy errs with the square of the step", () => {
    const [start, momentum] = [tensor([1, -0.5], float64), tensor([0.3, 0.8], float64)];
    const there = normal.leapfrog(start, momentum, scalar(0.1), scalar(20), precision);
    const back = normal.leapfrog(there.x, there.p.neg(), scalar(0.1), scalar(20), precision);
    expectClose(back.x, start, 1e-10);
    const before = normal.energy(start, precision).item() + 0.5 * sum(square(momentum)).item();
    const error = (step: number) =>
      Math.abs(
        normal.leapfrog(start, momentum, scalar(step), scalar(Math.round(1 / step)), precision).total.item() - before,
      );
    expect(error(0.05) / error(0.025)).toBeGreaterThan(3);
  });

  it("adapts its step size to an acceptance near 0.8", async () => {
    const run = await hamiltonianMonteCarlo(normal, [0, 0], precision, {
      burnIn: 300,
      samples: 400,
      path: 1.5,
      stepSize: 0.05,
    });
    expect(Math.abs(run.acceptance - 0.8)).toBeLessThan(0.12);
    expect(run.samples.shape).toEqual([400, 2]);
  });

  it("refuses to begin where the density is not finite", async () => {
    await expect(hamiltonianMonteCarlo(normal, [Number.NaN, 0], precision)).rejects.toThrow(
      errorLike("NonFiniteError", /at the start/),
    );
  });
});

it("stochastic-gradient Monte Carlo has the variance of a normal distribution", () => {
  const rng = random.rng(1);
  const one = (v: number) => tensor([v], float64);
  let state = { at: one(0), momentum: one(0), g: one(1), v: one(1), tau: one(1) };
  const values: number[] = [];
  const settings = { learningRate: 0.1, momentumDecay: 0.1 };
  for (let k = 0; k < 12_000; k++) {
    const gradient = state.at.add(rng.normal([1], { std: 0.3, dtype: "float64" }));
    state = adaptiveStep(state, gradient, rng.normal([1], float64), tensor(k < 1000), settings);
    if (k > 1000) values.push(state.at.item());
  }
  const variance = values.reduce((total, v) => total + v * v, 0) / values.length;
  expect(Math.abs(variance - 1)).toBeLessThan(0.3);
});

it("a regression network is its layers, one after the other", () => {
  const network = regressionNetwork(2, { widths: [3] });
  const weights = network.initial(random.rng(1));
  const w = Array.from(weights.data() as Float64Array);
  const expected = (points.toArray() as number[][]).map(([a, b]) => {
    const hidden = [0, 1, 2].map((j) => Math.tanh(a * w[j] + b * w[3 + j] + w[6 + j]));
    return hidden.reduce((total, h, j) => total + h * w[9 + j], w[12]);
  });
  expectClose(network.apply(weights, points), expected, 1e-14);
  expect(network.size).toBe(13);
});
