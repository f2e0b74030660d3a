import { largestDifference } from "@offprint/claims";
import { minimizeLbfgsSync } from "@offprint/solvers";
import { add, div, grad, mul, ShapeError, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { readFixture } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { lastIterateBound, optimalWeights, optimizeSchedule, weightedBound } from "../src/index.js";
import { randomNorms } from "./random-norms.js";

const fixture = readFixture<any>(import.meta.url, "scipy.json");

/** B from its definition, tail by tail. */
function definition(eta: ArrayLike<number>, g: ArrayLike<number>, d: number): number {
  const steps = Array.from(eta);
  const tail = (k: number, f: (t: number) => number) =>
    steps.reduce((total, _, t) => (t >= k ? total + f(t) : total), 0);
  const S = (k: number) => tail(k, (t) => steps[t]);
  const I = (k: number) => tail(k, (t) => (steps[t] * g[t]) ** 2);
  const rest = steps.slice(0, -1).map((step, k) => (step * I(k)) / (S(k) * S(k + 1)));
  return (d * d + I(0)) / (2 * S(0)) + rest.reduce((a, b) => a + b, 0) / 2;
}

/** The same in tensor operations, for reverse mode. */
function traced(eta: Tensor, g: Float64Array, d: number): Tensor {
  const n = g.length;
  const mask = (k: number) => tensor(Float64Array.from({ length: n }, (_, t) => (t >= k ? 1 : 0)));
  const squares = mul(mul(eta, eta), tensor(g.map((v) => v * v)));
  const S = (k: number) => sum(mul(eta, mask(k)));
  const I = (k: number) => sum(mul(squares, mask(k)));
  let total = div(add(d * d, I(0)), mul(2, S(0)));
  for (let k = 0; k + 1 < n; k++) {
    const step = sum(mul(eta, tensor(Float64Array.from({ length: n }, (_, t) => (t === k ? 1 : 0)))));
    total = add(total, div(mul(mul(0.5, step), I(k)), mul(S(k), S(k + 1))));
  }
  return total;
}

describe("the bound of any step sizes", () => {
  const g = randomNorms(12, 2);
  const eta = randomNorms(12, 3);

  it("is its definition", () => {
    expect(lastIterateBound(eta, g, 1.7).value).toBeCloseTo(definition(eta, g, 1.7), 10);
    expect(lastIterateBound([0.5], [2], 3).value).toBeCloseTo((9 + 1) / 1, 12);
  });

  it("has the gradient of reverse mode and of finite differences", () => {
    const { gradient } = lastIterateBound(eta, g, 1.7);
    const reverse = grad((x: Tensor) => traced(x, g, 1.7))(tensor(eta)).data();
    expect(largestDifference(gradient, reverse)).toBeLessThan(1e-9);
    const differences = eta.map((step, t) => {
      const at = (h: number) =>
        lastIterateBound(
          eta.map((v, i) => (i === t ? v + h : v)),
          g,
          1.7,
        ).value;
      return (at(1e-6 * step) - at(-1e-6 * step)) / (2e-6 * step);
    });
    expect(largestDifference(gradient, differences)).toBeLessThan(1e-6);
  });

  it("does not change when step sizes times c meet norms over sqrt c and distance times sqrt c", () => {
    const c = 3.7;
    const root = Math.sqrt(c);
    const scaled = lastIterateBound(
      eta.map((v) => c * v),
      g.map((v) => v / root),
      root * 1.7,
    ).value;
    expect(scaled / lastIterateBound(eta, g, 1.7).value).toBeCloseTo(1, 12);
  });

  it("grows with the square when norms and distance grow", () => {
    const scaled = lastIterateBound(
      eta,
      g.map((v) => 5 * v),
      5 * 1.7,
    ).value;
    expect(scaled / lastIterateBound(eta, g, 1.7).value).toBeCloseTo(25, 10);
  });

  it("has the logarithm of T for a constant step: D^2/(2cT) + c G^2/2 (1 + H_{T-1})", () => {
    for (const [T, c, G, D] of [
      [10, 0.3, 1, 1],
      [200, 0.01, 2.5, 4],
    ]) {
      const harmonic = Array.from({ length: T - 1 }, (_, i) => 1 / (i + 1)).reduce((a, b) => a + b, 0);
      const expected = (D * D) / (2 * c * T) + ((c * G * G) / 2) * (1 + harmonic);
      const flat = new Float64Array(T);
      expect(lastIterateBound(flat.fill(c), new Float64Array(T).fill(G), D).value).toBeCloseTo(expected, 10);
    }
  });

  it("rejects step sizes that are not positive, other lengths, other distances", () => {
    expect(() => lastIterateBound([1, 0], [1, 1], 1)).toThrow(/stepSizes\[1\] is 0/);
    expect(() => lastIterateBound([1, 2], [1], 1)).toThrow(ShapeError);
    expect(() => lastIterateBound([1], [1], -1)).toThrow(/distance D is -1/);
    expect(() => lastIterateBound([], [], 1)).toThrow(/stepSizes is empty/);
  });
});

describe("the numerical refinement", () => {
  it("finds the minima that SciPy finds", async () => {
    for (const { norms, distance, bound } of fixture.minima) {
      const own = await optimizeSchedule(norms, distance);
      expect(own.status).not.toBe("limit");
      // SciPy has its gradient from differences: ours may be lower by a little.
      expect(own.bound / bound).toBeLessThan(1 + 1e-7);
      expect(own.bound / bound).toBeGreaterThan(1 - 1e-4);
      expect(lastIterateBound(own.stepSizes, norms, distance).value).toBeCloseTo(own.bound, 10);
    }
  });

  it("is linear decay for constant norms, but for the entry that moves nothing", async () => {
    const { multipliers } = await optimizeSchedule(new Float64Array(100).fill(2), 3);
    expect([25, 50, 75].map((t) => multipliers[t])).toEqual([0.75, 0.5, 0.25].map((v) => expect.closeTo(v, 1)));
    expect(multipliers[0]).toBe(1);
  });

  it("does not depend on units", async () => {
    const g = randomNorms(30, 6);
    const own = await optimizeSchedule(g, 1);
    const scaled = await optimizeSchedule(
      g.map((v) => 1e3 * v),
      1e-2,
    );
    expect(scaled.bound / own.bound).toBeCloseTo(10, 5);
    expect(largestDifference(scaled.multipliers.slice(0, -1), own.multipliers.slice(0, -1))).toBeLessThan(1e-2);
  });

  it("takes seconds for ten thousand steps", async () => {
    const { bound, status } = await optimizeSchedule(new Float64Array(1e4).fill(1), 1);
    expect(status).not.toBe("limit");
    expect(bound * 100).toBeCloseTo(2.0008, 3);
  });

  it("rejects norms that are all zero", async () => {
    await expect(optimizeSchedule([0, 0], 1)).rejects.toThrow(/all gradient norms are 0/);
  });

  it("cannot beat the closed form by weights, which is the minimum over weights", () => {
    const g = randomNorms(10, 8);
    const { weights, bound } = optimalWeights(g, 1.3);
    const found = minimizeLbfgsSync(
      (logarithms, gradient) => {
        const w = logarithms.map(Math.exp);
        const total = w.reduce((a, b) => a + b);
        const value = weightedBound(w, g, 1.3);
        for (let t = 0; t < w.length; t++) gradient[t] = (w[t] * (w[t] * g[t] ** 2 - value)) / total;
        return value;
      },
      new Float64Array(10),
      { gradientTolerance: 1e-10 },
    );
    expect(found.objective).toBeCloseTo(bound, 8);
    expect(largestDifference(found.x.map(Math.exp), weights)).toBeLessThan(1e-6);
  });
});
