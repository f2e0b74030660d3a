import { random } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { ArmData } from "../src/arm-fit.js";
import { chebyshevFeatures } from "../src/cheb-cb.js";
import { boxLeastSquares, ChebCB, omegaGrid } from "../src/index.js";
import reference from "./fixtures/reference.json" with { type: "json" };
import { farthest } from "./matrices.js";

describe("boxLeastSquares", () => {
  it("finds what SciPy's bounded-variable least squares finds", () => {
    for (const { a, y, bound, x, cost } of reference.box) {
      const found = boxLeastSquares(a, y, bound);
      expect(farthest(found.x, x)).toBeLessThan(1e-9);
      expect(found.squaredResidual).toBeCloseTo(cost, 10);
    }
  });

  it("finds a minimiser in the box where there are many", () => {
    const rng = random.rng(4);
    for (let trial = 0; trial < 40; trial++) {
      const a = rng.normal([3, 6], { dtype: "float64" });
      const bound = Array.from(rng.uniform([6], { low: 0.01, high: 0.4, dtype: "float64" }).data());
      const y = rng.normal([3], { dtype: "float64" });
      const { x, squaredResidual } = boxLeastSquares(a, y, bound);
      x.forEach((v, j) => {
        expect(Math.abs(v)).toBeLessThanOrEqual(bound[j]!);
      });
      // Optimality: the gradient is zero inside and pushes outwards at a bound.
      const [matrix, right] = [a.data() as Float64Array, y.data() as Float64Array];
      const residual = right.map((v, i) => v - x.reduce((s, w, j) => s + matrix[i * 6 + j]! * w, 0));
      expect(residual.reduce((s, r) => s + r * r, 0)).toBeCloseTo(squaredResidual, 12);
      x.forEach((v, j) => {
        const gradient = residual.reduce((s, r, i) => s + matrix[i * 6 + j]! * r, 0);
        if (Math.abs(v) < bound[j]!) expect(Math.abs(gradient)).toBeLessThan(1e-9);
        else expect(gradient * Math.sign(v)).toBeGreaterThan(-1e-9);
      });
    }
  });
});

describe("the fit of one arm", () => {
  it("by rotations equals the fit of its history", () => {
    const rng = random.rng(2);
    const free = new Float64Array(4).fill(Infinity);
    for (const rows of [1, 2, 4, 5, 30]) {
      const data = new ArmData(4);
      const contexts = rng.uniform([rows], { low: -1, dtype: "float64" }).data();
      const costs = rng.uniform([rows], { low: 10, high: 90, dtype: "float64" }).data();
      const features = Array.from(contexts, (x) => chebyshevFeatures(x, 4));
      features.forEach((f, i) => {
        data.add(f, costs[i]!);
      });
      for (const bound of [free, Float64Array.of(0.6, 0.05, 0.02, 0.01)]) {
        const fit = data.fit(100, bound);
        const direct = boxLeastSquares(
          features.map((f) => [...f]),
          costs.map((c) => c / 100),
          bound,
        );
        const residual = (x: Float64Array) =>
          features.reduce((s, f, i) => s + (f.reduce((v, w, j) => v + w * x[j]!, 0) - costs[i]! / 100) ** 2, 0);
        expect(residual(fit.x)).toBeCloseTo(residual(direct.x), 10);
        if (rows >= 4 || bound === free) expect(farthest(fit.x, direct.x)).toBeLessThan(1e-8);
        if (fit.constrained) expect(fit.squaredResidual).toBeCloseTo(direct.squaredResidual, 9);
      }
    }
  });
});

describe("ChebCB", () => {
  const settings = omegaGrid(1, 1.9, 3);
  const made = (features: number, seed = 0) => new ChebCB({ settings, seed, features, range: [0, 1] });

  it("has features T_j(x) = cos(j arccos x)", () => {
    for (const x of [-1, -0.7, 0, 0.3, 1]) {
      const expected = Array.from({ length: 8 }, (_, j) => Math.cos(j * Math.acos(x)));
      expect(farthest(chebyshevFeatures(x, 8), expected)).toBeLessThan(1e-14);
    }
  });

  it("goes through the same states as a fit of the whole history in NumPy", () => {
    for (const { m, log, states } of reference.chebcb) {
      const policy = made(m);
      let next = 0;
      log.forEach(([context, arm, loss], k) => {
        policy.choose(context);
        const probabilities = policy.probabilities;
        policy.update(loss!, arm);
        if (k % 5 !== 0 && k !== log.length - 1) return;
        const expected = states[next++]!;
        expect(farthest(probabilities, expected.probabilities)).toBeLessThan(1e-9);
        expect(policy.model.scale).toBeCloseTo(expected.scale, 9);
        expect(Math.abs(policy.model.eta / expected.eta - 1)).toBeLessThan(1e-8);
        expect(farthest(policy.model.theta.data(), expected.theta)).toBeLessThan(1e-10);
      });
      expect(next).toBe(states.length);
    }
  });

  it("with one feature predicts the mean, clipped at 1 / N", () => {
    const policy = made(1);
    const losses = [30, 50, 10, 46];
    for (const loss of losses) {
      policy.choose(0.3);
      policy.update(loss, 1);
    }
    const { theta, scale, N, K } = policy.model;
    expect([K, N, scale]).toEqual([50, 2 + (4 * 40) / 50, 50 * (2 + 160 / 50)]);
    expect(theta.data()[1]).toBeCloseTo(Math.min(33 / scale, 1 / N), 14);
    expect(policy.predict(0.9)[1]).toBeCloseTo(34, 11);
    expect(policy.predict(0.9)[0]).toBe(1);
  });

  it("draws uniformly for eta = 0 and greedily for eta = infinity; gaps make the rest", () => {
    const policy = made(2);
    expect(farthest(policy.probabilitiesFor(0.5), [1 / 3, 1 / 3, 1 / 3])).toBeLessThan(1e-15);
    for (const [arm, loss] of [
      [0, 60],
      [1, 20],
      [2, 90],
    ] as const) {
      policy.choose(0.5);
      policy.update(loss, arm);
    }
    expect(policy.probabilitiesFor(0.5, Infinity)).toEqual(Float64Array.of(0, 1, 0));
    const y = policy.predict(0.5).map((loss) => (loss - 1) / policy.model.scale);
    const p = policy.probabilitiesFor(0.5, 70);
    expect(p[0]).toBeCloseTo(1 / (3 + 70 * (y[0]! - y[1]!)), 12);
    expect(p[0]! + p[1]! + p[2]!).toBeCloseTo(1, 14);
    expect(() => policy.probabilitiesFor(0.5, -1)).toThrow(/eta is -1/);
  });

  it("keeps its coefficients within their bounds after every update", () => {
    const policy = made(4, 9);
    const rng = random.rng(11);
    for (let t = 0; t < 300; t++) {
      const context = rng.uniform([], { dtype: "float64" }).item();
      const omega = policy.choose(context);
      policy.update(1 + Math.round(40 * Math.abs(omega - 1 - context) + rng.uniform([], { high: 200 }).item()));
      const { theta, bounds } = policy.model;
      theta.data().forEach((v, k) => {
        expect(Math.abs(v as number)).toBeLessThanOrEqual(bounds[k % 4]!);
      });
    }
  });

  it("reproduces a loss of degree 5 where the bounds allow it", () => {
    const policy = new ChebCB({ settings: [1], seed: 0, range: [-1, 1] });
    const loss = (x: number) => 60 + 10 * x + 5 * chebyshevFeatures(x, 6)[5]! - 4 * x * x;
    for (let k = 0; k < 40; k++) {
      const context = Math.cos(1.7 * k);
      policy.choose(context);
      policy.update(loss(context));
    }
    for (const x of [-0.9, -0.2, 0.5, 1]) expect(policy.predict(x)[0]).toBeCloseTo(loss(x), 6);
  });

  it("explores uniformly while all losses are equal", () => {
    const policy = made(3);
    policy.choose(0.2);
    policy.update(7);
    expect(policy.model.bounds.slice(1)).toEqual(new Float64Array(2));
    expect(policy.model.N).toBe(2);
    policy.choose(0.4);
    expect(policy.probabilities.every((p) => p >= 0 && p <= 1)).toBe(true);
  });
});
