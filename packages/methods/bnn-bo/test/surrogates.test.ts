import { condition, matern, nngp } from "@offprint/gaussian-process";
import {
  eye,
  full,
  hostTensor,
  jitSync,
  linalg,
  mul,
  random,
  relu,
  special,
  square,
  sum,
  type Tensor,
  take,
  tensor,
  tree,
  zeros,
} from "@offprint/tensor-core";
import { centralDifferences, errorLike, expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { deepKernelPrograms } from "../src/deep-kernel.js";
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
import { networkPrograms } from "../src/network-programs.js";
import { densityData } from "../src/network-surrogates.js";
import { type ProcessParameters, processPosterior } from "../src/process.js";
import { usualProcess } from "../src/process-surrogates.js";
import { padded, standardised } from "../src/standardise.js";
import { adaptiveStep } from "../src/stochastic-gradient-hmc.js";

const float64 = { dtype: "float64" } as const;
const x = random.rng(1).uniform([14, 2], float64);
const y = x.mul(3).sin().sum(1).mul(4).add(10);
const points = random.rng(2).uniform([5, 2], float64);
const small = { hidden: [8], trainingSteps: 200 };

describe("surrogates", () => {
  const all: BoSurrogate[] = [
    ...[gp(), gp({ lengthPrior: "dim-scaled" }), ibnn(), ibnn({ activation: "erf" })],
    ...[hmc({ ...small, burnIn: 30, samples: 20 }), sghmc({ hidden: [8], burnIn: 100, samplingSteps: 100 })],
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

  it("the infinitely wide network's kernel is that of networks of width 4096", () => {
    const [width, networks] = [4096, 150];
    // As many as have independent first layers.
    const few = points.slice([{ start: 0, stop: 3 }]);
    const rng = random.rng(6);
    for (const activation of ["relu", "erf"] as const) {
      const kernel = nngp({ kind: "fullyConnected", depth: 3, activation, weightVariance: 10, biasVariance: 1.3 });
      const act = activation === "relu" ? relu : special.erf;
      // Units of a layer are independent given the products of the layer before: drawn so, networks are exact in law.
      const layer = (products: Tensor) =>
        linalg.cholesky(products.mul(10).add(1.3)).matmul(rng.normal([3, width], float64));
      let total = zeros([3, 3], "float64");
      for (let k = 0; k < networks; k++) {
        let products = few.matmul(few.transpose()).div(2);
        for (let l = 0; l < 3; l++) {
          const units = act(layer(products));
          products = units.matmul(units.transpose()).div(width);
        }
        total = total.add(products.mul(10).add(1.3).div(networks));
      }
      expectClose(total, kernel.matrix(few), { ofLargest: 0.02 });
    }
  });

  for (const prior of ["gamma", "dim-scaled"] as const) {
    it(`the evidence with its ${prior} priors has the gradient of its value`, () => {
      const { process, start } = usualProcess(2, prior);
      const { leaves, structure } = tree.flatten(start(0.3));
      const sizes = (leaves as Tensor[]).map(({ size }) => size);
      const at = (flat: ArrayLike<number>) => {
        let from = 0;
        const own = (leaves as Tensor[]).map(({ shape }, k) => {
          const part = Float64Array.from({ length: sizes[k] }, (_, i) => flat[from + i]);
          from += sizes[k];
          return hostTensor(part, shape, "float64");
        });
        return tree.unflatten<ProcessParameters>(structure, own);
      };
      const data = padded(standardised("test", x, y));
      const place = Float64Array.from((leaves as Tensor[]).flatMap((leaf) => Array.from(leaf.data() as Float64Array)));
      const [, gradient] = process.objective(at(place), data);
      const flat = (tree.flatten(gradient).leaves as Tensor[]).flatMap((leaf) =>
        Array.from(leaf.data() as Float64Array),
      );
      expectClose(
        flat,
        centralDifferences((v: ArrayLike<number>) => process.objective(at(v), data)[0].item(), place),
        1e-6,
      );
    });
  }

  it("a process leaves each observation out as its whole covariance says", () => {
    const data = standardised("test", x, y);
    const { process, start } = usualProcess(2, "gamma");
    const parameters = start(0.1);
    const { factor, weights } = process.condition(parameters, padded(data), tensor(0, float64));
    const precision = linalg.choleskySolve(factor, eye(factor.shape[0], factor.shape[0], "float64"));
    for (let i = 0; i < y.size; i++) {
      const others = tensor(
        Array.from({ length: y.size }, (_, k) => k).filter((k) => k !== i),
        { dtype: "int32" },
      ); // prettier-ignore
      const rest = { ...data, x: take(data.x, others, 0), y: take(data.y, others, 0), offset: 0, deviation: 1 };
      const left = processPosterior(process, parameters, rest);
      const at = data.x.slice([{ start: i, stop: i + 1 }]);
      const variance = 1 / precision.slice([i, i]).item();
      expectClose(left.variance(at), [variance - 0.1], 1e-9);
      expectClose(left.mean(at), [data.y.slice([i]).item() - weights.slice([i]).item() * variance], 1e-9);
    }
  });

  it("a deep kernel whose features are its inputs is the usual process", () => {
    const programs = deepKernelPrograms(2, { hidden: [2], activation: "relu" });
    // Inputs are positive, so that relu leaves them as they are.
    const identity = tensor([1, 0, 0, 1, 0, 0, 0, 0, 0], float64);
    const data = standardised("test", x, y);
    const deep = processPosterior(programs.process, programs.split(programs.start(identity)), data);
    const { process, start } = usualProcess(2, "gamma");
    const usual = processPosterior(process, start(0.1), data);
    expectClose(deep.mean(points), usual.mean(points), 1e-10);
    expectClose(deep.covariance(points), usual.covariance(points), 1e-10);
  });

  it("an ensemble of one network that sees all is the network of the largest density", async () => {
    const own = { ...small, members: 1, part: 1 };
    const posterior = await ensemble(own).fit(x, y, { rng: random.rng(5) });
    expectClose(posterior.variance(points), new Float64Array(5), 1e-12);
    const { network, pretraining } = networkPrograms(2, { hidden: [8], activation: "tanh" });
    const data = standardised("test", x, y);
    const density = densityData(data, { prior: 1, noise: 0.1 });
    // Which observations it sees is drawn first.
    const rng = random.rng(5).fork("weights").fork(0);
    rng.permutation(14);
    const weights = await pretraining.run(network.initial(rng), density, 200);
    const values = network.apply(weights, points).mul(data.deviation).add(data.offset);
    expectClose(posterior.mean(points), values, 1e-10);
  });

  it("the authors' noise is a standard deviation in the density of the weights", async () => {
    const own = { ...small, members: 1, part: 1 };
    const theirs = await ensemble({ ...own, noiseVariance: 0.2, officialNoise: true }).fit(x, y);
    const squared = await ensemble({ ...own, noiseVariance: 0.2 ** 2 }).fit(x, y);
    expectClose(theirs.mean(points), squared.mean(points), 1e-10);
  });

  it("variances are searched where that is asked for, and kept", async () => {
    const surrogate = ensemble({ hidden: [4], trainingSteps: 20, members: 1, tune: "first" });
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
    expect(() => dkl({ hiden: [3] } as never)).toThrow(errorLike("ValueError", /did you mean "hidden"/));
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
  const chains = 500;
  const all = (v: number) => full([chains], v, "float64");
  let state = { at: all(0), momentum: all(0), g: all(1), v: all(1), tau: all(1) };
  const settings = { learningRate: 0.1, momentumDecay: 0.1 };
  const step = jitSync((at: typeof state, gradient: Tensor, normal: Tensor, adapting: Tensor) =>
    adaptiveStep(at, gradient, normal, adapting, settings),
  );
  let variance = 0;
  for (let k = 0; k < 800; k++) {
    const gradient = state.at.add(rng.normal([chains], { std: 0.3, dtype: "float64" }));
    state = step(state, gradient, rng.normal([chains], float64), tensor(k < 500)) as typeof state;
    if (k >= 700) variance += state.at.square().mean().item() / 100;
  }
  expect(Math.abs(variance - 1)).toBeLessThan(0.15);
});

it("stochastic-gradient Monte Carlo sees standardised inputs, so that their units and origin are nothing to it", async () => {
  const surrogate = sghmc({ hidden: [6], burnIn: 50, samplingSteps: 50 });
  const usual = await surrogate.fit(x, y, { rng: random.rng(3) });
  const moved = (inputs: Tensor) => inputs.mul([1000, 0.01]).add([300, -5]);
  const other = await surrogate.fit(moved(x), y, { rng: random.rng(3) });
  expectClose(other.mean(moved(points)), usual.mean(points), 1e-6);
  expectClose(other.variance(moved(points)), usual.variance(points), 1e-6);
  const constant = await surrogate.fit(full([14, 2], 0.4, "float64"), y, { rng: random.rng(3) });
  expect(Number.isFinite(constant.mean(points).sum().item())).toBe(true);
});

it("a regression network is its layers, one after the other", () => {
  const network = regressionNetwork(2, { hidden: [3] });
  const weights = network.initial(random.rng(1));
  const w = Array.from(weights.data() as Float64Array);
  const expected = (points.toArray() as number[][]).map(([a, b]) => {
    const hidden = [0, 1, 2].map((j) => Math.tanh(a * w[j] + b * w[3 + j] + w[6 + j]));
    return hidden.reduce((total, h, j) => total + h * w[9 + j], w[12]);
  });
  expectClose(network.apply(weights, points), expected, 1e-14);
  expect(network.size).toBe(13);
});

it("observations are standardised in any unit", () => {
  const [x, y] = [
    [[0], [0.5], [1]],
    [0.25, -1.5, 1],
  ];
  const usual = standardised("gp", x, y);
  for (const unit of [2 ** 1000, 2 ** -1000, 2 ** 1023]) {
    const own = standardised(
      "gp",
      x,
      y.map((v) => v * unit),
    );
    expect(own.y.data()).toEqual(usual.y.data());
    expect([own.offset / unit, own.deviation / unit]).toEqual([usual.offset, usual.deviation]);
  }
  expect(standardised("gp", x, [3, 3, 3]).deviation).toBe(1);
});
