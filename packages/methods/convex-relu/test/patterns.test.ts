import { random, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  enumeratePatterns,
  patternBound,
  patternCount,
  sampleBound,
  samplePatterns,
  trainRobust,
} from "../src/index.js";

const keys = (D: readonly Uint8Array[]) => new Set(D.map((pattern) => pattern.join("")));
const points = (seed: number, n: number, d: number) => random.rng(seed).normal([n, d], { dtype: "float64" });

describe("activation patterns", () => {
  it.each([
    [1, 7],
    [2, 9],
    [3, 8],
    [4, 7],
  ])("in general position in %i dimensions there are 2 sum C(n-1, k) of them, no two alike", (d, n) => {
    const { D, complete } = enumeratePatterns(points(d, n, d), { bias: false });
    expect(D.length).toBe(patternCount(n, d));
    expect(keys(D).size).toBe(D.length);
    expect(complete).toBe(true);
  });

  it("with a column of ones count as one dimension more: 24 for 12 numbers", () => {
    expect(enumeratePatterns(points(0, 12, 1)).D.length).toBe(24);
    expect(patternCount(12, 2)).toBe(24);
  });

  it("hold all that sampling finds", () => {
    for (const [n, d] of [
      [8, 2],
      [6, 3],
    ]) {
      const x = points(n, n, d);
      const all = keys(enumeratePatterns(x, { bias: false }).D);
      const drawn = keys(samplePatterns(x, { count: all.size, maxDraws: 200_000, bias: false }).D);
      expect(drawn.size).toBeGreaterThan(0.85 * all.size);
      for (const key of drawn) expect(all.has(key)).toBe(true);
    }
  });

  it("hold all ones and all zeros exactly where some direction achieves them", () => {
    const sides = tensor([1, 2, -1], { shape: [3, 1], dtype: "float64" });
    const without = keys(enumeratePatterns(sides, { bias: false }).D);
    expect(without.has("111")).toBe(false);
    expect(without.has("000")).toBe(false);
    const withOnes = keys(enumeratePatterns(sides).D);
    expect(withOnes.has("111") && withOnes.has("000")).toBe(true);
  });

  it("are exact where samples repeat or lie on a line", () => {
    // Two distinct numbers, each twice: as many patterns as for the two.
    const repeated = enumeratePatterns(tensor([1, 1, 3, 3], { shape: [4, 1], dtype: "float64" }));
    expect(keys(repeated.D)).toEqual(new Set(["0000", "1111", "0011", "1100"]));
    // On a line in the plane: as many as for numbers.
    const line = tensor(
      Float64Array.from({ length: 12 }, (_, p) => Math.floor(p / 2) * (p % 2 === 0 ? 1 : 2) + 0.3),
      { shape: [6, 2] },
    );
    expect(enumeratePatterns(line).D.length).toBe(patternCount(6, 2));
  });

  it("that hyperplanes missing all boxes have are those usable against moves", () => {
    const x = points(3, 7, 1);
    const eps = 0.1;
    const usable = keys(enumeratePatterns(x, { usable: { eps } }).D);
    const drawn = keys(samplePatterns(x, { count: 100, maxDraws: 100_000, usable: { eps } }).D);
    expect(drawn).toEqual(usable);
    const all = keys(enumeratePatterns(x).D);
    expect(usable.size).toBeLessThan(all.size);
    for (const key of usable) expect(all.has(key)).toBe(true);
    expect(enumeratePatterns(x, { usable: { eps: 0 } }).D.length).toBe(all.size);
  });

  it("of perturbed data come beside the clean ones", () => {
    const x = points(4, 10, 2);
    const options = { count: 1000, maxDraws: 50, seed: 1 };
    const clean = keys(samplePatterns(x, options).D);
    const moved = keys(samplePatterns(x, { ...options, perturb: { eps: [0.3, 0.3], perDirection: 6 } }).D);
    for (const key of clean) expect(moved.has(key)).toBe(true);
    expect(moved.size).toBeGreaterThan(clean.size);
  });

  it("are fewer, and flagged, where more are asked for than exist", () => {
    const { D, exhausted, draws } = samplePatterns(points(0, 3, 1), { count: 50, maxDraws: 2000 });
    expect(D.length).toBe(6);
    expect(exhausted).toBe(true);
    expect(draws).toBe(2000);
  });

  it("follow from the seed alone", () => {
    const x = points(5, 20, 3);
    const drawn = (seed: number) => samplePatterns(x, { count: 15, seed }).D.map((pattern) => pattern.join(""));
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(1)).not.toEqual(drawn(2));
  });

  it("have the bounds of the scenario approach", () => {
    // 2/0.2 (13 - ln 0.1) = 153.03, rounded up; (13 / 0.02) - 1 is larger.
    expect(patternBound(12, 0.2, 0.1)).toBe(154);
    expect(patternBound(3, 1, 1)).toBe(3);
    expect(sampleBound(12, 0.2, 0.1)).toBe(144);
  });
});

describe("patterns are those of any units and offsets of the features", () => {
  const rng = random.rng(8);
  const times = [[0], [1], [2], [5], [5], [9], [4]];
  const table = Array.from({ length: 6 }, () => Array.from(rng.normal([2], { dtype: "float64" }).data(), Number));

  it.each([1e6, 1.7e9, 1.7e12])("times after %s", (start) => {
    const late = enumeratePatterns(times.map(([t]) => [start + t]));
    expect(late).toMatchObject({ complete: true });
    expect(keys(late.D)).toEqual(keys(enumeratePatterns(times).D));
    expect(late.D).toHaveLength(12);
    const boxes = { usable: { eps: 0.25 } };
    const lateBoxes = enumeratePatterns(
      times.map(([t]) => [start + t]),
      boxes,
    );
    expect(keys(lateBoxes.D)).toEqual(keys(enumeratePatterns(times, boxes).D));
  });

  it.each([
    [1e10, 1e10, 0],
    [1e12, 1, 0],
    [1, 1, 1e8],
  ])("a table in units of %s and %s, from %s on", (first, second, offset) => {
    const other = enumeratePatterns(table.map(([a, b]) => [a * first + offset, b * second + offset]));
    expect(keys(other.D)).toEqual(keys(enumeratePatterns(table).D));
    expect(other.D).toHaveLength(patternCount(6, 3));
  });

  it("so that a bound for every network is not above a network", async () => {
    const inputs = [[-2], [-1.2], [-0.5], [0.1], [0.8], [1.5], [2.2]];
    const targets = [0.8, -0.6, -0.8, 0.2, 1, 0.1, -0.9];
    const at = (unit: number) =>
      trainRobust(
        inputs.map(([x]) => [x * unit]),
        targets,
        { loss: "squared", beta: 0.02, eps: 0.05 * unit, solver: "conic", maxIterations: 100 },
      );
    // A network for the smaller unit costs no more in the larger one, where its weights are smaller.
    const { networkObjective } = await at(1e3);
    expect((await at(1e10)).dualBound?.value).toBeLessThan(networkObjective);
  });
});
