import { loadModel } from "@offprint/onnx-runtime";
import { cast, random, tensor } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { fourCosines } from "../claims/problems.js";
import {
  certify,
  evaluateNetwork,
  networkError,
  networkToOnnx,
  quarticLagrangian,
  randomNetwork,
  SparseFourier,
  sampleNetwork,
} from "../src/index.js";
import { neuronSampler, uniformDraws } from "../src/neurons.js";
import { randomFunction, randomPoints } from "./functions.js";

const one = SparseFourier.cosines([{ k: [2, -3], a: 1.5, theta: 0.7 }], { constant: 0.4, period: 2 });

describe("a mean of hidden units", () => {
  it.each([
    ["step", (z: number) => (z > 0 ? 1 : 0)],
    ["relu", (z: number) => Math.max(0, z)],
    ["sigmoid", (z: number) => 1 / (1 + Math.exp(-z))],
    ["cos", Math.cos],
  ] as const)("is the function, up to what chance does: %s", (activation, f) => {
    const n = 10_000;
    const { network } = sampleNetwork(one, { width: n, activation, steepness: 4000, points: 2, seed: 1 });
    const [hidden, bias, output] = [network.hidden, network.bias, network.output].map((each) =>
      [...each.data()].map(Number),
    );
    for (const [x, y] of [
      [0.3, 1.7],
      [1.9, 0.1],
      [1, 1],
    ]) {
      const units = output.map((weight, i) => n * weight * f(hidden[2 * i] * x + hidden[2 * i + 1] * y + bias[i]));
      // Beyond n: the linear part.
      const exact = units.slice(n).reduce((sum, each) => sum + each / n, network.outputBias);
      const mean = units.slice(0, n).reduce((sum, each) => sum + each, 0) / n;
      const variance = units.slice(0, n).reduce((sum, each) => sum + (each - mean) ** 2, 0) / (n - 1);
      expect(evaluateNetwork(network, [[x, y]]).data()[0]).toBeCloseTo(exact + mean, 8);
      expect(Math.abs(exact + mean - one.evaluate([x, y]).item())).toBeLessThan(4 * Math.sqrt(variance / n) + 1e-12);
    }
  });

  it("by quadrature of the density, exactly", () => {
    const form = one.realForm();
    const [theta, a] = [form.theta[0], form.a[0]];
    const [low, high] = [-3, 2];
    const n = 40_000;
    const ts = Array.from({ length: n }, (_, i) => low + ((high - low) * (i + 0.5)) / n);
    for (const [x, y] of [
      [0.3, 1.7],
      [1.9, 0.1],
      [1, 1],
    ]) {
      const z = (form.k[0] * x + form.k[1] * y) / 2;
      let [step, relu] = [Math.cos(theta), Math.cos(theta) - 2 * Math.PI * Math.sin(theta) * z];
      for (const t of ts) {
        const slope = -2 * Math.PI * Math.sin(2 * Math.PI * t + theta);
        const bend = -4 * Math.PI ** 2 * Math.cos(2 * Math.PI * t + theta);
        const dt = (high - low) / n;
        if (t > 0 && z > t) step += slope * dt;
        if (t < 0 && z < t) step -= slope * dt;
        relu += bend * dt * (t > 0 ? Math.max(0, z - t) : Math.max(0, t - z));
      }
      const value = one.evaluate([x, y]).item() - one.constant;
      expect(Math.abs(a * step - value)).toBeLessThan(3e-3);
      expect(Math.abs(a * relu - value)).toBeLessThan(1e-4);
    }
  });

  it("draws cosines in proportion to their part, and places by their density", () => {
    const form = SparseFourier.cosines([
      { k: [1], a: 1 },
      { k: [3], a: 2 },
      { k: [-2], a: 1 },
    ]).realForm();
    const draw = uniformDraws(random.rng("frequencies"));
    const n = 12_000;
    for (const activation of ["cos", "step", "relu"] as const) {
      const sampler = neuronSampler(form, 1, activation, 1);
      const counts = [0, 0, 0];
      const phases = new Array<number>(16).fill(0);
      for (let i = 0; i < n; i++) {
        const { j, bias, slope } = sampler(draw);
        counts[j]++;
        const shifted = -bias / slope + form.theta[j] / (2 * Math.PI) + (activation === "relu" ? -0.25 : 0);
        phases[Math.floor(16 * (shifted - Math.floor(shifted))) % 16]++;
      }
      const parts = [0, 1, 2].map((j) => form.a[j] * (activation === "cos" ? 1 : Math.abs(form.k[j])));
      const total = parts.reduce((sum, each) => sum + each, 0);
      const chi = counts.reduce(
        (sum, count, j) => sum + (count - (n * parts[j]) / total) ** 2 / ((n * parts[j]) / total),
        0,
      );
      // The 99.9 % point with two degrees of freedom.
      expect(chi).toBeLessThan(13.8);
      if (activation === "cos") continue;
      const expected = phases.map(
        (_, i) => (n * Math.abs(Math.cos((Math.PI * i) / 8) - Math.cos((Math.PI * (i + 1)) / 8))) / 4,
      );
      const density = phases.reduce((sum, count, i) => sum + (count - expected[i]) ** 2 / expected[i], 0);
      // With fifteen.
      expect(density).toBeLessThan(37.7);
    }
  });

  it("is the function in the mean over draws of one cosine", () => {
    // n = 1: the mean over all draws by enumeration is c_0 + sum a_j cos.
    const u = randomFunction("enumerate", 2, 5);
    const { a } = u.realForm();
    const total = a.reduce((sum, each) => sum + each, 0);
    const x = randomPoints("enumerate", 2, 10);
    const parts = Array.from(a, (each, j) => {
      const { k, theta } = u.realForm();
      const network = SparseFourier.cosines([{ k: [k[2 * j], k[2 * j + 1]], a: total, theta: theta[j] }], {
        constant: u.constant,
      });
      return network.scale(each / total);
    });
    expectClose(parts.reduce((sum, each) => sum.add(each)).evaluate(x), u.evaluate(x), { absolute: 1e-12 });
  });
});

describe("sampleNetwork", () => {
  it("knows the error of cosine networks exactly", () => {
    const u = randomFunction("parseval", 3, 10);
    const { network, error, standardError } = sampleNetwork(u, { width: 40, seed: 3 });
    const estimate = networkError(network, u, { points: 40_000, seed: 1 });
    expect(standardError).toBe(0);
    expect(Math.abs(estimate.error - error)).toBeLessThan(4 * estimate.standardError);
  });

  it("keeps the best draw, and stops at one that is good enough", () => {
    const u = randomFunction("best", 2, 8);
    const first = sampleNetwork(u, { width: 10, seed: 5 });
    const best = sampleNetwork(u, { width: 10, seed: 5, bestOf: 30 });
    expect(best.error).toBeLessThan(first.error);
    expect(best.draws).toBe(30);
    expect(sampleNetwork(u, { width: 10, seed: 5, bestOf: 30, wanted: first.error }).draws).toBe(1);
  });

  it("makes a constant of a constant", () => {
    const { network, error } = sampleNetwork(SparseFourier.constant(2, 1.5), { width: 3, activation: "relu" });
    expect(evaluateNetwork(network, [[0.1, 0.2]]).toArray()).toEqual([1.5]);
    expect(error).toBe(0);
  });

  it.each(["cos", "step", "sigmoid", "relu"] as const)(
    "writes %s networks that ONNX Runtime runs",
    async (activation) => {
      const { network } = sampleNetwork(one, { width: 50, activation, steepness: 30, seed: 2 });
      const x = randomPoints("onnx", 2, 20, 2);
      const wanted = evaluateNetwork(network, x);
      const model = await loadModel(networkToOnnx(network));
      try {
        const { y } = await model.run({ x: cast(x, "float32") });
        expectClose(y, cast(wanted, "float32"), { absolute: 2e-4 });
      } finally {
        await model.release();
      }
      expect(networkToOnnx(network, { dtype: "float64" }).length).toBeGreaterThan(networkToOnnx(network).length);
    },
  );

  it("evaluates many points in parts", () => {
    const { network } = sampleNetwork(one, { width: 5 });
    const x = randomPoints("many", 2, 5000, 2);
    const all = evaluateNetwork(network, x).data();
    expect(all.length).toBe(5000);
    expect(all[4999]).toBeCloseTo(
      Number(evaluateNetwork(network, (x.toArray() as number[][]).slice(4999)).data()[0]),
      12,
    );
  });

  it("refuses what is out of range", () => {
    expect(() => sampleNetwork(one, { width: 0 })).toThrow("width is 0");
    expect(() => sampleNetwork(one, { width: 5, activation: "tanh" as never })).toThrow("tanh");
    expect(() => sampleNetwork({} as never, { width: 5 })).toThrow("u is no SparseFourier");
    expect(() => evaluateNetwork(sampleNetwork(one, { width: 5 }).network, [[1]])).toThrow("give points [m, 2]");
    expect(() => networkError(sampleNetwork(one, { width: 5 }).network, one, { points: 1 })).toThrow("points is 1");
  });
});

describe("randomNetwork", () => {
  it("fits the output of random units, worse than drawn ones in many dimensions", () => {
    const u = fourCosines(8, 0.1);
    const drawn = sampleNetwork(u, { width: 100 });
    const fitted = networkError(randomNetwork(u, { width: 100 }), u);
    expect(fitted.error).toBeGreaterThan(2 * drawn.error);
    const easy = SparseFourier.cosines([{ k: [1], a: 1 }]);
    for (const activation of ["cos", "relu"] as const) {
      expect(networkError(randomNetwork(easy, { width: 60, activation, seed: 1 }), easy).error).toBeLessThan(0.05);
    }
  });
});

describe("certify", () => {
  const cubic = quarticLagrangian({ beta: 1 });

  it("gives a network whose error is below the accuracy, with its budget", async () => {
    const f = fourCosines(2, 4);
    const { sampled, budget, width, worstWidthLog10, barron, boundsLog10, u } = await certify(cubic, f, {
      accuracy: 0.03,
    });
    expect(budget.descent + budget.truncation + budget.draw).toBeLessThan(0.03);
    expect(networkError(sampled!.network, u, { points: 4000 }).error).toBeLessThan(0.03);
    expect(sampled?.network.hidden.shape).toEqual([width, 2]);
    expect(worstWidthLog10).toBeGreaterThan(Math.log10(width));
    expect(boundsLog10.general).toBeGreaterThan(Math.log10(barron));
    expect(boundsLog10.refined).toBeGreaterThan(Math.log10(barron));
  });

  it("bounds the width of step networks too, and not that of ReLUs", async () => {
    const options = { accuracy: 0.4, bestOf: 2 } as const;
    const steps = await certify(cubic, fourCosines(1, 2), { ...options, activation: "step" });
    expect(steps.worstWidthLog10).toBeGreaterThan(Math.log10(steps.width));
    const ramps = await certify(cubic, fourCosines(1, 2), { ...options, activation: "relu" });
    expect(ramps.worstWidthLog10).toBeUndefined();
    expect(ramps.sampled?.network.hidden.shape).toEqual([ramps.width + 2, 1]);
  });

  it("has no network where the descent was ended, and refuses what is no accuracy", async () => {
    const ended = await certify(cubic, fourCosines(1), { accuracy: 0.01, onProgress: () => "stop" });
    expect([ended.status, ended.sampled]).toEqual(["stopped", undefined]);
    await expect(certify(cubic, fourCosines(1), { accuracy: 0 })).rejects.toThrow("accuracy is 0");
    await expect(certify(cubic, fourCosines(1), { accuracy: 1, tolerance: 1 } as never)).rejects.toThrow(
      'no option "tolerance"',
    );
    expect(tensor(ended.barron).item()).toBeGreaterThan(0);
  });
});
