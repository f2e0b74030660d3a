import { random, tensor } from "@offprint/tensor-core";
import { readFixture } from "@offprint/testing";
import { describe, expect, it, vi } from "vitest";
import { BETA, smallProblem } from "../claims/problems.js";
import { initialState } from "../src/admm-state.js";
import { designOf } from "../src/design.js";
import { dualNorm } from "../src/dual-bound.js";
import { enumeratePatterns, type Loss, type Patterns, predict, samplePatterns, trainConvex } from "../src/index.js";

import { PatternOperator } from "../src/pattern-operator.js";
import { RbcdAdmm } from "../src/rbcd-admm.js";

interface Case {
  readonly loss: Loss;
  readonly eps: number;
  readonly beta: number;
  readonly x: number[];
  readonly y: number[];
  readonly D: number[][];
  readonly value: number;
}
const cases: Case[] = readFixture(import.meta.url, "conic.json");
const column = (x: readonly number[]) => tensor(Float64Array.from(x), { shape: [x.length, 1] });
const patternsOf = (D: readonly number[][]): Patterns => ({
  D: D.map((row) => Uint8Array.from(row)),
  draws: 0,
  exhausted: false,
  complete: false,
});
const problem = smallProblem(random.rng(11));
const smaller = smallProblem(random.rng(12), 7);
const small = { loss: "squared", beta: BETA, patterns: smaller.patterns } as const;
const base = { loss: "squared", beta: BETA, patterns: problem.patterns } as const;

describe("trainConvex", () => {
  it.each(cases.filter(({ eps }) => eps === 0))("reaches the value of an interior-point solver ($loss)", async (c) => {
    const options = { loss: c.loss, beta: c.beta, patterns: patternsOf(c.D), maxIterations: 10_000 };
    const { convexObjective, networkObjective } = await trainConvex(
      column(c.x),
      tensor(Float64Array.from(c.y)),
      options,
    );
    expect(Math.abs(convexObjective / c.value - 1)).toBeLessThan(1e-4);
    expect(networkObjective).toBeGreaterThan(c.value * (1 - 1e-5));
    expect(networkObjective / c.value - 1).toBeLessThan(5e-3);
  });

  it("proves the optimum on all patterns, for all losses and for the network of the result", async () => {
    for (const loss of ["squared", "bce", "hinge"] as const) {
      const y = loss === "squared" ? problem.y : tensor(Float64Array.from(problem.y.data(), (v) => (v >= 0 ? 1 : -1)));
      const result = await trainConvex(problem.x, y, { ...base, loss, maxIterations: 5000 });
      expect(result.dualBound?.scope).toBe("network");
      expect(result.gap).toBeGreaterThanOrEqual(-1e-9);
      expect(result.gap).toBeLessThan(3e-3);
    }
  });

  it("has one optimum for every rho and dual step, and the certificate is never above it", async () => {
    const values: number[] = [];
    for (const rho of [0.05, 0.4]) {
      for (const dualStep of [1, 1.6]) {
        const result = await trainConvex(smaller.x, smaller.y, { ...small, rho, dualStep, maxIterations: 10_000 });
        values.push(result.networkObjective);
        expect(result.networkObjective).toBeGreaterThanOrEqual((result.dualBound?.value ?? Infinity) - 1e-9);
        expect(result.networkObjective / (result.dualBound?.value ?? 0) - 1).toBeLessThan(5e-3);
      }
    }
    expect(Math.max(...values) / Math.min(...values) - 1).toBeLessThan(5e-3);
  });

  it("reduces its residuals, linearly in the end", async () => {
    const { history } = await trainConvex(problem.x, problem.y, {
      ...base,
      rho: 0.1,
      maxIterations: 8000,
      tolerance: 1e-12,
    });
    const at = (k: number) => history[Math.floor(k * (history.length - 1))];
    expect(at(1).primal).toBeLessThan(0.05 * at(0.1).primal);
    expect(at(1).dual).toBeLessThan(0.05 * at(0.1).dual);
  });

  it("block descent comes to the same value within 1 %", async () => {
    const exact = await trainConvex(smaller.x, smaller.y, { ...small, maxIterations: 8000 });
    const rbcd = { threshold: 1e-4, decay: 0.99, cap: 150 };
    const options = { ...small, method: "admm-rbcd", rho: 0.1, maxIterations: 1500, rbcd, tolerance: 1e-12 } as const;
    const descent = await trainConvex(smaller.x, smaller.y, options);
    expect(Math.abs(descent.networkObjective / exact.networkObjective - 1)).toBeLessThan(0.01);
    const labels = tensor(Float64Array.from(smaller.y.data(), (v) => (v >= 0 ? 1 : -1)));
    const own = { ...options, loss: "bce" } as const;
    const reference = await trainConvex(smaller.x, labels, { ...small, loss: "bce", maxIterations: 5000 });
    const logistic = await trainConvex(smaller.x, labels, own);
    expect(Math.abs(logistic.networkObjective / reference.networkObjective - 1)).toBeLessThan(0.01);
  });

  it("block descent comes there from a step size that is lost in rounding, as it may become", async () => {
    const options = { ...small, rho: 0.1, maxIterations: 300, certify: false } as const;
    const exact = await trainConvex(smaller.x, smaller.y, options);
    const rbcd = { stepSize: 1e-14, threshold: 1e-6 };
    const descent = await trainConvex(smaller.x, smaller.y, { ...options, method: "admm-rbcd", rbcd });
    expect(Math.abs(descent.networkObjective / exact.networkObjective - 1)).toBeLessThan(1e-2);
  });

  it("block descent makes its inner steps no more exact than the violated equalities are", () => {
    const { D } = smaller.patterns;
    const operator = new PatternOperator(designOf("test", smaller.x, true), smaller.patterns);
    const state = initialState(D.length, operator.n, operator.d, 0.1);
    const settings = { blockSize: 3, threshold: 1e-15, decay: 1, stepSize: 1, cap: 2000 };
    const gradients = vi.spyOn(operator, "transposedBlock");
    const descent = new RbcdAdmm(operator, "squared", smaller.y.data() as Float64Array, BETA, 1, state, settings, 0);
    for (let k = 0; k < 50; k++) descent.step();
    // Two for each of three patterns.
    expect(gradients.mock.calls.length / 6).toBeLessThan(20_000);
  });

  it("the sampled programme is above the certificate and has balanced neurons", async () => {
    for (const loss of ["squared", "bce"] as const) {
      const y = loss === "squared" ? problem.y : tensor(Float64Array.from(problem.y.data(), (v) => (v >= 0 ? 1 : -1)));
      const options = {
        loss,
        beta: BETA,
        method: "scp",
        scp: { samples: 300 },
        maxIterations: 4000,
        tolerance: 1e-10,
      } as const;
      const { convexObjective, networkObjective, dualBound, net } = await trainConvex(problem.x, y, options);
      expect(networkObjective).toBeCloseTo(convexObjective, 9);
      expect(networkObjective).toBeGreaterThanOrEqual(dualBound?.value ?? Infinity);
      const m = net.a.size;
      for (let j = 0; j < m; j++) {
        const norm = Math.hypot(Number(net.U.data()[j]), Number(net.U.data()[m + j]));
        expect(norm).toBeCloseTo(Math.abs(Number(net.a.data()[j])), 10);
      }
    }
  });

  it("beta >= max |y^T (X u)_+| gives the zero network, and below it does not", async () => {
    const design = designOf("test", problem.x, true);
    const limit = dualNorm(design, problem.patterns, Float64Array.from(problem.y.data()));
    const above = await trainConvex(problem.x, problem.y, { ...base, beta: 1.05 * limit, maxIterations: 5000 });
    expect(above.net.a.size).toBe(0);
    expect(predict(above.net, problem.x).toArray()).toEqual(new Array(12).fill(0));
    expect(above.gap).toBeLessThan(1e-9);
    const below = await trainConvex(problem.x, problem.y, { ...base, beta: 0.95 * limit });
    expect(below.net.a.size).toBeGreaterThan(0);
  });

  it("solves the same problem for targets in a small unit, where the zero network leaves hardly a residual", async () => {
    const { x, y } = smaller;
    const unit = 2 ** -20;
    const little = Float64Array.from(y.data(), (value) => value * unit);
    const options = { ...small, maxIterations: 4000 };
    const [usual, tiny] = [
      await trainConvex(x, y, options),
      await trainConvex(x, little, { ...options, beta: BETA * unit }),
    ];
    expect(tiny.networkObjective / unit ** 2 / usual.networkObjective).toBeCloseTo(1, 3);
    expect(tiny.gap).toBeLessThan(0.01);
  });

  it.each([2 ** -40, 2 ** -400])("keeps the neurons of targets in a unit of %s, whatever the method", async (unit) => {
    const { x, y } = smaller;
    const little = Float64Array.from(y.data(), (value) => value * unit);
    const common = { loss: "squared", maxIterations: 100 } as const;
    for (const method of [{ patterns: smaller.patterns }, { method: "scp", scp: { samples: 40 } }] as const) {
      const usual = await trainConvex(x, y, { ...common, ...method, beta: BETA });
      const tiny = await trainConvex(x, little, { ...common, ...method, beta: BETA * unit });
      expect(tiny.iterations).toBe(usual.iterations);
      expect(tiny.net.a.size).toBe(usual.net.a.size);
      expect(tiny.networkObjective / unit ** 2 / usual.networkObjective).toBeCloseTo(1, 6);
    }
  });

  it("interpolates as beta goes to 0", async () => {
    const x = column([-2, -1.1, -0.3, 0.4, 1.2, 2]);
    const y = tensor(Float64Array.of(0.3, -1, 0.5, 0.1, 1, -0.4));
    const { net } = await trainConvex(x, y, { loss: "squared", beta: 1e-5, maxIterations: 20_000 });
    predict(net, x)
      .data()
      .forEach((value, k) => expect(value).toBeCloseTo(Number(y.data()[k]), 3));
  });

  it("the recovered network gives the programme's predictions and penalty", async () => {
    const result = await trainConvex(problem.x, problem.y, { ...base, maxIterations: 20_000, tolerance: 1e-10 });
    expect(result.maxViolation).toBeLessThan(1e-8);
    expect(Math.abs(result.networkObjective - result.convexObjective)).toBeLessThan(1e-6);
    const points = problem.x.data();
    const [V, W] = [result.V.data(), result.W.data()];
    const outputs = predict(result.net, problem.x).data();
    for (let k = 0; k < 12; k++) {
      let f = 0;
      for (const [i, D] of result.patterns.D.entries()) {
        if (D[k]) f += points[k] * (V[2 * i] - W[2 * i]) + (V[2 * i + 1] - W[2 * i + 1]);
      }
      expect(outputs[k]).toBeCloseTo(f, 6);
    }
  });

  it("an average of losses is the same problem with beta n", async () => {
    const options = { ...base, maxIterations: 500 };
    const sum = await trainConvex(problem.x, problem.y, options);
    const mean = await trainConvex(problem.x, problem.y, { ...options, beta: BETA / 12, average: true });
    expect(mean.networkObjective).toBeCloseTo(sum.networkObjective / 12, 12);
    expect(mean.dualBound?.value).toBeCloseTo((sum.dualBound?.value ?? 0) / 12, 12);
  });

  it("takes patterns of one's own, and says that the certificate is for them where others cannot be listed", async () => {
    const x = random.rng(3).normal([40, 6], { dtype: "float64" });
    const y = tensor(Float64Array.from({ length: 40 }, (_, k) => Math.sin(Number(x.data()[6 * k]))));
    const patterns = samplePatterns(x, { count: 20 });
    const result = await trainConvex(x, y, { loss: "squared", beta: 0.1, patterns, maxIterations: 500 });
    expect(result.patterns.D).toBe(patterns.D);
    expect(result.dualBound?.scope).toBe("patterns");
    expect(result.gap).toBeLessThan(0.05);
    const more = await trainConvex(x, y, { loss: "squared", beta: 0.1, patterns: 40, maxIterations: 500 });
    expect(more.networkObjective).toBeLessThan(result.networkObjective + 1e-2);
  });

  it("certifies sampled patterns against all where these can be listed", async () => {
    const few = { ...base, patterns: samplePatterns(problem.x, { count: 3, seed: 1 }) };
    const result = await trainConvex(problem.x, problem.y, { ...few, maxIterations: 4000 });
    const exact = await trainConvex(problem.x, problem.y, { ...base, maxIterations: 8000 });
    expect(result.dualBound?.scope).toBe("network");
    expect(result.dualBound?.value).toBeLessThanOrEqual(exact.networkObjective + 1e-9);
    expect(enumeratePatterns(problem.x).D.length).toBe(24);
  });

  it("does not take patterns for complete that are those of other data, of radii, or a part", async () => {
    const exact = await trainConvex(problem.x, problem.y, { ...base, maxIterations: 2000 });
    const others = column(Array.from({ length: problem.x.shape[0] }, (_, k) => Math.cos(7 * k)));
    for (const patterns of [
      { ...problem.patterns, D: problem.patterns.D.slice(0, 2) },
      enumeratePatterns(others),
      enumeratePatterns(problem.x, { usable: { eps: 0.2 } }),
    ]) {
      expect(patterns.complete).toBe(true);
      const result = await trainConvex(problem.x, problem.y, { ...base, patterns, maxIterations: 200 });
      expect(result.patterns.complete).toBe(false);
      expect(result.gap).toBeGreaterThanOrEqual(0);
      expect(result.dualBound?.value).toBeLessThanOrEqual(exact.networkObjective);
    }
    const rng = random.rng(4);
    const wide = rng.normal([30, 6], { dtype: "float64" });
    const patterns = { ...samplePatterns(wide, { count: 20 }), complete: true };
    const result = await trainConvex(wide, rng.normal([30]), { ...base, patterns, maxIterations: 10 });
    expect(result.dualBound?.scope).toBe("patterns");
  });

  it("tells the first, every tenth and the last iteration", async () => {
    const { history, iterations } = await trainConvex(problem.x, problem.y, { ...base, rho: 0.1, tolerance: 1e-2 });
    const steps = history.map(({ iteration }) => iteration);
    expect(steps.slice(0, 4)).toEqual([1, 10, 20, 30]);
    expect(steps.at(-1)).toBe(iterations);
  });
});
