import { random } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { omegaGrid, TsallisInf, TsallisInfBinned, tsallisProbabilities, tsallisRegretBound } from "../src/index.js";
import reference from "./fixtures/reference.json" with { type: "json" };
import { farthest } from "./matrices.js";

const sum = (p: ArrayLike<number>) => Array.from(p).reduce((a, b) => a + b, 0);

describe("the distribution of Tsallis-INF", () => {
  it("is the one that SciPy's root finder gives", () => {
    for (const { k, scale, t, p } of reference.tsallis) {
      expect(farthest(tsallisProbabilities(k, scale, t).probabilities, p)).toBeLessThan(1e-12);
    }
  });

  it("sums to 1, is positive, falls with the cumulative loss, and solves its equation, for gaps from 0 to 1e9", () => {
    const rng = random.rng(1);
    for (let trial = 0; trial < 200; trial++) {
      const d = 1 + (trial % 20);
      const size = 10 ** ((trial % 12) - 2);
      const k = Array.from(rng.uniform([d], { high: size, dtype: "float64" }).data()).sort((a, b) => a - b);
      const [scale, t] = [1 + (trial % 7), 1 + trial * 40];
      const { probabilities, x } = tsallisProbabilities(k, scale, t);
      expect(Math.abs(sum(probabilities) - 1)).toBeLessThan(1e-12);
      expect(Math.min(...probabilities)).toBeGreaterThan(0);
      for (let i = 1; i < d; i++) expect(probabilities[i]!).toBeLessThanOrEqual(probabilities[i - 1]!);
      expect(x).toBeLessThan(k[0]! / scale);
      // By bisection for the normaliser, in differences.
      const eta = 2 / Math.sqrt(t);
      const total = (y: number) => sum(k.map((v) => 4 / (eta * ((v - k[0]!) / scale + y)) ** 2));
      let [low, high] = [2 / eta, (2 * Math.sqrt(d)) / eta];
      for (let step = 0; step < 200; step++) {
        const middle = (low + high) / 2;
        if (total(middle) > 1) low = middle;
        else high = middle;
      }
      const bisected = k.map((v) => 4 / (eta * ((v - k[0]!) / scale + low)) ** 2);
      expect(farthest(probabilities, bisected)).toBeLessThan(1e-12);
    }
  });

  it("is uniform at the start, and depends on differences only", () => {
    const { probabilities } = tsallisProbabilities(new Float64Array(7), 1, 1);
    expect(farthest(probabilities, new Array(7).fill(1 / 7))).toBeLessThan(1e-15);
    const k = [3, 0, 11, 5];
    const [plain, moved] = [k, k.map((v) => v + 4096)].map(
      (values) => tsallisProbabilities(values, 2, 9).probabilities,
    );
    expect(farthest(plain!, moved!)).toBeLessThan(1e-14);
  });
});

describe("Tsallis-INF", () => {
  it("weights without bias: the expected change of every sum is loss - 1", () => {
    const losses = [5, 2, 9, 1];
    const expected = new Float64Array(4);
    const made = () => {
      const policy = new TsallisInf({ settings: [1, 1.2, 1.4, 1.6], seed: 3 });
      for (const loss of [7, 4, 6, 12]) {
        policy.choose();
        policy.update(loss);
      }
      policy.choose();
      return policy;
    };
    losses.forEach((loss, arm) => {
      const policy = made();
      const [before, p] = [policy.cumulative, policy.probabilities];
      policy.update(loss, arm);
      policy.cumulative.forEach((k, i) => {
        expected[i]! += p[arm]! * (k - before[i]!);
      });
    });
    expect(farthest(expected, [4, 1, 8, 0])).toBeLessThan(1e-12);
  });

  it("divides by the running mean of the losses less 1, by 1 where that is 0, or by a cap that is given", () => {
    const settings = [1, 1.5];
    const running = new TsallisInf({ settings, seed: 0 });
    const capped = new TsallisInf({ settings, seed: 0, lossScale: 50 });
    for (const policy of [running, capped]) {
      for (const loss of [11, 31]) {
        policy.choose();
        policy.update(loss, 0);
      }
      policy.choose();
    }
    expect(running.probabilities).toEqual(tsallisProbabilities(running.cumulative, 20, 3).probabilities);
    expect(capped.probabilities).toEqual(tsallisProbabilities(capped.cumulative, 50, 3).probabilities);
    const flat = new TsallisInf({ settings, seed: 0 });
    flat.choose();
    flat.update(0); // a system that was solved already: counts as 1
    flat.choose();
    expect(farthest(flat.probabilities, [0.5, 0.5])).toBeLessThan(1e-15);
  });

  it("has a regret below 4 sqrt(d T) + 1 on ten Bernoulli arms", () => {
    const [d, T, runs] = [10, 5000, 6];
    let regret = 0;
    for (let run = 0; run < runs; run++) {
      const rng = random.rng(`losses ${run}`);
      const policy = new TsallisInf({ settings: [...Array(d).keys()], seed: run, lossScale: 1, minLoss: 0 });
      const draws = rng.uniform([T], { dtype: "float64" }).data();
      for (let t = 0; t < T; t++) {
        const mean = policy.choose() === 4 ? 0.4 : 0.6;
        policy.update(draws[t]! < mean ? 1 : 0);
        regret += (mean - 0.4) / runs;
      }
    }
    expect(tsallisRegretBound(d, T)).toBeCloseTo(895.4, 1);
    expect(regret).toBeLessThan(tsallisRegretBound(d, T));
    // What runs elsewhere gave: 141 to 212.
    expect(regret).toBeGreaterThan(80);
    expect(regret).toBeLessThan(280);
  });

  it("draws arms as often as it says", () => {
    const policy = new TsallisInf({ settings: omegaGrid(1, 1.4, 3), seed: 5, lossScale: 1 });
    policy.choose();
    policy.update(3, 0);
    const counts = new Float64Array(3);
    for (let i = 0; i < 20000; i++) {
      policy.choose();
      counts[policy.arm!]! += 1 / 20000;
    }
    expect(farthest(counts, policy.probabilities)).toBeLessThan(0.012);
  });
});

describe("Tsallis-INF with bins", () => {
  it("takes the nearest centre, the lower one of two, and learns nowhere else", () => {
    const policy = new TsallisInfBinned({ settings: [1, 1.5], seed: 0, bins: 5, range: [-0.15, 0.65] });
    const centres = [-0.07, 0.09, 0.25, 0.41, 0.57];
    for (const context of [-0.15, -0.1, 0, 0.02, 0.3, 0.5, 0.65]) {
      const distances = centres.map((c) => Math.abs(c - context));
      expect(policy.binOf(context)).toBe(distances.indexOf(Math.min(...distances)));
    }
    expect(new TsallisInfBinned({ settings: [1], seed: 0, bins: 2, range: [0, 2] }).binOf(1)).toBe(0);
    policy.choose(0.1);
    policy.update(40, 0);
    policy.choose(0.12);
    expect(policy.probabilities[0]).toBeLessThan(0.5);
    policy.choose(0.3);
    expect(policy.probabilities[0]).toBeCloseTo(0.5, 14);
  });

  it("with one bin is Tsallis-INF", () => {
    const settings = omegaGrid();
    const one = new TsallisInfBinned({ settings, seed: 2, bins: 1, range: [0, 1] });
    const plain = new TsallisInf({ settings, seed: 2 });
    for (let t = 0; t < 100; t++) {
      const omega = plain.choose();
      expect(one.choose((t % 10) / 9)).toBe(omega);
      const loss = Math.round(100 * Math.abs(omega - 1.6)) + 5;
      plain.update(loss);
      one.update(loss);
    }
  });
});
