import { random, tensor } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  type BatchTest,
  batchController,
  cosineBySamples,
  type GradientStats,
  gradientStats,
  linearBySamples,
  nextBatchSize,
  planBatch,
  pooledStats,
  requiredBatchSize,
  stepsBySamples,
} from "../src/index.js";

const normal = (seed: string, shape: number[]) => random.rng(seed).normal(shape, { dtype: "float64" });
const sample = { a: normal("a", [9, 2, 3]), b: normal("b", [9, 4]).add(0.4) };
const rows = Array.from({ length: 9 }, (_, i) => [
  ...(sample.a.data().slice(6 * i, 6 * i + 6) as Float64Array),
  ...(sample.b.data().slice(4 * i, 4 * i + 4) as Float64Array),
]);

/** Two passes over rows of numbers. */
function bruteForce(g: readonly (readonly number[])[]) {
  const b = g.length;
  const d = g[0].length;
  const mean = Array.from({ length: d }, (_, j) => g.reduce((sum, row) => sum + row[j], 0) / b);
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, j) => sum + value * y[j], 0);
  const n2 = dot(mean, mean);
  const variance = mean.map((m, j) => g.reduce((sum, row) => sum + (row[j] - m) ** 2, 0) / (b - 1));
  const inner = g.map((row) => dot(row, mean));
  const rest = g.map((row, i) => row.map((value, j) => value - (inner[i] / n2) * mean[j]));
  return {
    n2,
    variance,
    V: variance.reduce((a, c) => a + c, 0),
    Vip: inner.reduce((sum, value) => sum + (value - n2) ** 2, 0) / (b - 1),
    Vorth: rest.reduce((sum, row) => sum + dot(row, row), 0) / (b - 1),
    rest,
  };
}

function sameStats(found: GradientStats, expected: GradientStats, tolerance: number) {
  for (const key of ["batchSize", "gradNormSquared", "variance1Norm", "varInnerProduct", "varOrthogonal"] as const) {
    expectClose(found[key], expected[key], tolerance);
  }
  for (const key of ["mean", "coordinateVariance"] as const) {
    expectClose(found[key], expected[key], tolerance);
  }
}

describe("statistics of per-sample gradients", () => {
  it("equal those of two plain passes, and V_orth = V - V_ip / n^2", () => {
    const stats = gradientStats(sample);
    const { n2, V, Vip, Vorth, variance, rest } = bruteForce(rows);
    expectClose(stats.gradNormSquared, n2, 1e-12);
    expectClose(stats.variance1Norm, V, 1e-12);
    expectClose(stats.varInnerProduct, Vip, 1e-12);
    expectClose(stats.varOrthogonal, Vorth, 1e-12);
    expectClose(stats.varOrthogonal, V - Vip / n2, 1e-12);
    const found = (stats.coordinateVariance as any).a.data();
    for (let j = 0; j < 6; j++) expectClose(found[j], variance[j], 1e-12);
    for (let j = 0; j < 10; j++) expect(Math.abs(rest.reduce((sum, row) => sum + row[j], 0))).toBeLessThan(1e-12);
    expect(stats.varInnerProduct).toBeLessThanOrEqual(n2 * V);
  });

  it("within each tensor are sums over the tensors", () => {
    const blocks = gradientStats(sample, { blockwise: true });
    const [a, b] = [gradientStats({ a: sample.a }), gradientStats({ b: sample.b })];
    expectClose(blocks.varInnerProduct, a.varInnerProduct + b.varInnerProduct, 1e-12);
    expectClose(blocks.varOrthogonal, a.varOrthogonal + b.varOrthogonal, 1e-12);
    expectClose(blocks.variance1Norm, gradientStats(sample).variance1Norm, 1e-12);
  });

  it("pooled over any partition are those of one batch", () => {
    const whole = gradientStats(sample);
    for (const cuts of [[4], [1, 2, 7], [3, 6]]) {
      const bounds = [0, ...cuts, 9];
      const parts = bounds.slice(1).map((end, p) => ({
        a: sample.a.slice([{ start: bounds[p], stop: end }]),
        b: sample.b.slice([{ start: bounds[p], stop: end }]),
      }));
      sameStats(pooledStats(parts), whole, 1e-10);
    }
  });

  it("by total variance differ by what the unequal divisors leave", () => {
    const parts = [0, 3, 6].map((start) => ({
      a: sample.a.slice([{ start, stop: start + 3 }]),
      b: sample.b.slice([{ start, stop: start + 3 }]),
    }));
    const [exact, total] = [pooledStats(parts), pooledStats(parts, { mode: "total-variance" })];
    // exact: (sum within + between) / 8 with within = 2 s_p^2, between = 3 (m_p - m)^2; total: mean s_p^2 + mean (m_p - m)^2
    const each = parts.map((part) => gradientStats(part));
    const within = each.reduce((sum, stats) => sum + stats.variance1Norm, 0) / 3;
    const between = (8 * exact.variance1Norm - 6 * within) / 9;
    expectClose(total.variance1Norm, within + between, 1e-10);
  });
});

describe("tests", () => {
  const stats = gradientStats(sample);
  const size = (test: BatchTest, of: GradientStats = stats) => requiredBatchSize(of, test);

  it("ask for the batch size at which they would pass", () => {
    const { n2, V, Vip, Vorth, variance } = bruteForce(rows);
    expectClose(size({ kind: "norm", eta: 0.3 }), V / (0.09 * n2), 1e-12);
    expectClose(size({ kind: "inner-product", theta: 0.3 }), Vip / (0.09 * n2 ** 2), 1e-12);
    expectClose(size({ kind: "orthogonality", nu: 0.3 }), Vorth / (0.09 * n2), 1e-12);
    expectClose(
      size({ kind: "augmented", theta: 0.3, nu: 2 }),
      Math.max(Vip / (0.09 * n2 ** 2), Vorth / (4 * n2)),
      1e-12,
    );
    const mean = [...(stats.mean as any).a.data(), ...(stats.mean as any).b.data()];
    expectClose(
      size({ kind: "coordinate-wise", eta: 0.3 }),
      Math.max(...variance.map((s, j) => s / (0.09 * mean[j] ** 2))),
      1e-12,
    );
    const eta = {
      a: tensor(new Float64Array(6).fill(0.3), { shape: [2, 3] }),
      b: tensor(new Float64Array(4).fill(0.3)),
    };
    expectClose(size({ kind: "coordinate-wise", eta }), size({ kind: "coordinate-wise", eta: 0.3 }), 1e-12);
  });

  it("the inner product test never asks for more than the norm test", () => {
    for (let k = 0; k < 20; k++) {
      const some = gradientStats({ x: normal(`${k}`, [5, 3]) });
      expect(size({ kind: "inner-product", theta: 0.5 }, some)).toBeLessThanOrEqual(
        size({ kind: "norm", eta: 0.5 }, some) * (1 + 1e-12),
      );
    }
  });

  it("norm and coordinate-wise are one for a single coordinate", () => {
    const one = gradientStats({ x: normal("one", [7, 1]) });
    expectClose(size({ kind: "norm", eta: 0.2 }, one), size({ kind: "coordinate-wise", eta: 0.2 }, one), 1e-12);
  });

  const all: readonly BatchTest[] = [
    { kind: "norm", eta: 0.4 },
    { kind: "inner-product", theta: 0.4 },
    { kind: "orthogonality", nu: 0.4 },
    { kind: "coordinate-wise", eta: 0.4 },
  ];

  it("do not depend on the scale of the gradients; only the coordinate-wise one depends on the axes", () => {
    const x = normal("axes", [8, 4]).add(0.3);
    const turned = x.matmul(random.rng(2).orthogonal([4, 4], { dtype: "float64" }));
    for (const test of all) {
      const before = size(test, gradientStats({ x }));
      expectClose(size(test, gradientStats({ x: x.mul(1000) })), before, 1e-9);
      const after = size(test, gradientStats({ x: turned }));
      if (test.kind === "coordinate-wise") expect(Math.abs(after / before - 1)).toBeGreaterThan(0.01);
      else expectClose(after, before, 1e-9);
    }
  });

  it("ask for nothing where all samples agree, and for everything where the mean vanishes", () => {
    const equal = gradientStats({ x: tensor(new Float64Array(12).fill(0.3), { shape: [4, 3] }) });
    const opposed = gradientStats({ x: tensor(Float64Array.of(1, -1), { shape: [2, 1] }) });
    for (const test of all) {
      expect(size(test, equal)).toBe(0);
      expect(nextBatchSize(4, equal, test, 100)).toBe(4);
    }
    for (const test of all) expect(size(test, opposed)).toBe(Number.POSITIVE_INFINITY);
    expect(nextBatchSize(2, opposed, { kind: "coordinate-wise", eta: 1 }, 100)).toBe(100);
    const nothing = gradientStats({ x: tensor(new Float64Array(6), { shape: [3, 2] }) });
    for (const test of all) expect(size(test, nothing)).toBe(0);
  });

  it("never shrink a batch nor pass the largest", () => {
    for (let k = 0; k < 50; k++) {
      const some = gradientStats({ x: normal(`grow/${k}`, [4, 3]) });
      const next = nextBatchSize(6, some, all[k % 4], 40);
      expect(next).toBeGreaterThanOrEqual(6);
      expect(next).toBeLessThanOrEqual(40);
      expect(Number.isInteger(next)).toBe(true);
    }
  });
});

describe("a controller of batch sizes", () => {
  const run = (options: Parameters<typeof batchController>[0], steps: number) => {
    const controller = batchController(options);
    let state = controller.initial;
    const sizes: number[] = [];
    for (let k = 0; k < steps; k++) {
      sizes.push(state.batchSize);
      ({ state } = controller.next(state));
    }
    return sizes;
  };

  it("makes the baselines", () => {
    const common = { initialBatch: 4, maxBatch: 20 };
    expect(run({ ...common, test: { kind: "constant" } }, 3)).toEqual([4, 4, 4]);
    expect(run({ ...common, test: { kind: "linear", increment: 7 } }, 4)).toEqual([4, 11, 18, 20]);
    const stages = { kind: "stages", sizes: [4, 8] } as const;
    expect(run({ ...common, maxSamples: 32, test: stages }, 6)).toEqual([4, 4, 4, 4, 8, 8]);
    expect(run({ ...common, maxSamples: 32, test: { ...stages, shares: [1, 3] } }, 4)).toEqual([4, 4, 8, 8]);
  });

  it("tests at every m-th step only, and no more at the largest batch", () => {
    const controller = batchController({
      initialBatch: 4,
      maxBatch: 8,
      test: { kind: "norm", eta: 0.1 },
      testInterval: 2,
    });
    const needs = (batchSize: number, step: number) => controller.needs({ batchSize, step, samples: 0 });
    expect([needs(4, 0), needs(4, 1), needs(4, 2), needs(8, 2)]).toEqual(["moments", "nothing", "moments", "nothing"]);
    const inner = batchController({ initialBatch: 4, maxBatch: 8, test: { kind: "augmented", theta: 1, nu: 1 } });
    expect(inner.needs(inner.initial)).toBe("inner-products");
    expect(() => controller.next(controller.initial)).toThrow(/needs the statistics of step 0/);
  });
});

describe("plans and schedules", () => {
  it("a batch is split over workers, accumulation and micro-batches", () => {
    const limits = { workers: 4, accumulation: 1, maxMicro: 32, maxGlobal: 1000 };
    expect(planBatch(10, limits)).toEqual({ micro: 3, accumulation: 1, global: 12 });
    expect(planBatch(300, limits)).toEqual({ micro: 32, accumulation: 3, global: 384 });
    // above the largest: 1000 samples, in micro-batches of ceil(1000 / (4 * 40))
    expect(planBatch(5000, limits)).toEqual({ micro: 7, accumulation: 36, global: 1008 });
    expect(planBatch(7, { ...limits, workers: 1, maxGlobal: 5 })).toEqual({ micro: 5, accumulation: 1, global: 5 });
  });

  it("rates follow the samples", () => {
    const cosine = cosineBySamples({ peak: 1, floor: 0.1, warmUp: 10, end: 110 });
    expect([0, 5, 10, 60, 110, 200].map((s) => cosine(s, 0))).toEqual([0, 0.5, 1, 0.55, 0.1, 0.1]);
    const line = linearBySamples({ peak: 1, floor: 0.5, end: 100 });
    expect([0, 50, 100, 101].map((s) => line(s, 0))).toEqual([1, 0.75, 0.5, 0.5]);
    const steps = stepsBySamples({ peak: 1, gamma: 0.5, milestones: [10, 20] });
    expect([9, 10, 20].map((s) => steps(s, 0))).toEqual([1, 0.5, 0.25]);
  });
});
