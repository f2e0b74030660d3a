import { describe, expect, it } from "vitest";
import {
  batchExtremes,
  effectiveBatch,
  fitNoise,
  maxLearningRate,
  minDamping,
  scaleLearningRate,
  shrinkageDamping,
  trueExtreme,
} from "../src/index.js";

describe("the effective batch", () => {
  it("is infinite for all samples, N / (N - 1) for one, and the batch itself of a stream", () => {
    expect(effectiveBatch(100, 100)).toBe(Number.POSITIVE_INFINITY);
    expect(effectiveBatch(1, 100)).toBeCloseTo(100 / 99, 14);
    expect(effectiveBatch(32)).toBe(32);
  });

  it("refuses batches below one or above the samples", () => {
    expect(() => effectiveBatch(0, 10)).toThrow(/batch is 0; it must be an integer from 1 to 10/);
    expect(() => effectiveBatch(11, 10)).toThrow(/batch is 11/);
    expect(() => effectiveBatch(1, 0)).toThrow(/samples is 0/);
  });
});

describe("Theorem 1", () => {
  const top = (lambda1: number, gamma: number, effective: number) => batchExtremes({ lambda1, gamma, effective }).top;

  it("leaves the eigenvalues of all samples as they are", () => {
    const { top, bottom, overlap } = batchExtremes({
      lambda1: 3,
      lambdaP: -1,
      gamma: 5,
      effective: Number.POSITIVE_INFINITY,
    });
    expect([top, bottom, overlap]).toEqual([3, -1, 1]);
    const positive = { lambda1: 3, lambdaP: 0.5, gamma: 5, effective: Number.POSITIVE_INFINITY };
    expect(batchExtremes(positive).bottom).toBe(0.5);
    expect(batchExtremes({ ...positive, lambda1: -0.5, lambdaP: -3 }).top).toBe(-0.5);
  });

  it("is continuous where the eigenvalue drowns: both branches are the edge of the noise", () => {
    expect(top(1 + 1e-9, 4, 4)).toBeCloseTo(2, 14);
    expect(top(1 - 1e-9, 4, 4)).toBe(2);
    expect(batchExtremes({ lambda1: 1, gamma: 4, effective: 4 })).toMatchObject({ spike: false, overlap: 0 });
  });

  it("gives larger eigenvalues for smaller batches and more noise, never smaller ones than the full Hessian's", () => {
    for (const [b, next] of [
      [1, 2],
      [2, 30],
      [30, 1000],
    ] as const) {
      expect(top(2, 10, b)).toBeGreaterThan(top(2, 10, next));
      expect(top(2, 12, b)).toBeGreaterThan(top(2, 10, b));
      expect(top(2, 10, b)).toBeGreaterThan(2);
    }
  });

  it("treats both ends alike", () => {
    const { bottom } = batchExtremes({ lambda1: 0, lambdaP: -3, gamma: 2, effective: 1 });
    expect(bottom).toBe(-top(3, 2, 1));
    expect(batchExtremes({ lambda1: 3, gamma: 1, effective: 1 }).bottom).toBe(-2);
  });

  it("is turned round by trueExtreme, above the edge of the noise", () => {
    expect(trueExtreme({ top: top(3, 2, 1), gamma: 2, effective: 1 })).toBeCloseTo(3, 14);
    expect(trueExtreme({ top: 1.9, gamma: 1, effective: 1 })).toBeUndefined();
  });

  it("goes on below the threshold where the spike is said to stay", () => {
    expect(batchExtremes({ lambda1: 0.5, gamma: 1, effective: 1, branch: "always-spike" }).top).toBe(2.5);
  });
});

describe("Marchenko-Pastur noise", () => {
  it("tends to Wigner noise for a small ratio: 3.3344 beside 3.3333", () => {
    const ratio = 1e-4;
    const noise = { ratio, scale: Math.sqrt(1 / ratio), centred: true };
    const { top, overlap } = batchExtremes({ lambda1: 3, noise });
    expect(top).toBeCloseTo(3.3344, 3);
    expect(overlap).toBeCloseTo(1 - 1 / 9, 2);
  });

  it("is the classical formula, continuous at its threshold, and never negative without centring", () => {
    const noise = { ratio: 0.25, scale: 2 };
    expect(batchExtremes({ lambda1: 5, noise }).top).toBeCloseTo(5 + 2 / (1 - (0.25 * 2) / 5), 12);
    const threshold = 2 * (0.5 + 0.25);
    expect(batchExtremes({ lambda1: threshold * (1 + 1e-9), noise }).top).toBeCloseTo(2 * 1.5 ** 2, 12);
    expect(batchExtremes({ lambda1: 5, noise }).bottom).toBeCloseTo(2 * 0.5 ** 2, 12);
    expect(batchExtremes({ lambda1: 5, noise: { ratio: 4, scale: 2 } }).bottom).toBe(0);
  });
});

describe("learning rates", () => {
  it("of SGD are linear in the batch while noise dominates, the edge's below the threshold, and flat in the end", () => {
    const rate = (effective: number, branch: "theorem" | "always-spike" = "theorem") =>
      maxLearningRate({ lambda1: 1, gamma: 100, effective, branch });
    expect(rate(2, "always-spike") / rate(1, "always-spike")).toBeCloseTo(2, 1);
    expect(rate(4) / rate(1)).toBeCloseTo(2, 12); // the bulk's edge: the root
    expect(rate(100)).toBeCloseTo(1, 12); // at the threshold the top has doubled
    expect(rate(1e9)).toBeCloseTo(2, 6);
  });

  it("grow by 1 + momentum with heavy ball, and with the batch's root for adaptive methods", () => {
    const curvature = { lambda1: 2, gamma: 1, effective: 9 };
    expect(maxLearningRate({ ...curvature, optimizer: "heavy-ball", momentum: 0.5 })).toBeCloseTo(
      1.5 * maxLearningRate(curvature),
      12,
    );
    const adaptive = (effective: number) =>
      maxLearningRate({ ...curvature, effective, optimizer: "adaptive", damping: 0.1 });
    expect(adaptive(9)).toBeCloseTo(0.1 * 3, 12);
    expect(adaptive(36) / adaptive(9)).toBeCloseTo(2, 12);
  });

  it("need the damping that keeps a second-order step stable, proportional to rate over batch", () => {
    const at = (learningRate: number, effective: number) =>
      minDamping({ lambda1: 2, gamma: 1, effective, learningRate });
    const delta = at(3, 4);
    expect((3 * batchExtremes({ lambda1: 2, gamma: 1, effective: 4 }).top) / (2 + delta)).toBeCloseTo(2, 12);
    expect(at(2, 4)).toBeCloseTo((2 * 1) / (2 * 4 * 2), 12);
    expect(at(2, 8)).toBeCloseTo(at(2, 4) / 2, 12);
    expect(at(0.1, 4)).toBe(0);
  });

  it("follow the batch by each rule", () => {
    expect(scaleLearningRate(0.1, 32, 128, "linear")).toBeCloseTo(0.4, 14);
    expect(scaleLearningRate(0.1, 32, 128, "square-root")).toBeCloseTo(0.2, 14);
    expect(scaleLearningRate(0.1, 32, 128, "none")).toBe(0.1);
    const exact = { lambda1: 2, gamma: 4, samples: 1000 };
    const top = (batch: number) => batchExtremes({ lambda1: 2, gamma: 4, effective: effectiveBatch(batch, 1000) }).top;
    expect(scaleLearningRate(0.1, 4, 128, exact)).toBeCloseTo((0.1 * top(4)) / top(128), 14);
    expect(scaleLearningRate(0.1, 500, 1000, exact)).toBeLessThan(0.1002);
    const noisy = { lambda1: 1, gamma: 1e6, branch: "always-spike" } as const;
    expect(scaleLearningRate(0.1, 4, 8, noisy)).toBeCloseTo(0.2, 5);
  });

  it("refuse numbers out of range, by name", () => {
    const good = { lambda1: 1, gamma: 1, effective: 1 };
    expect(() => maxLearningRate({ ...good, lambda1: 0 })).toThrow(/lambda1 is 0/);
    expect(() => maxLearningRate({ ...good, gamma: -1 })).toThrow(/gamma is -1/);
    expect(() => maxLearningRate({ ...good, effective: 0 })).toThrow(/effective is 0/);
    expect(() => maxLearningRate({ ...good, momentum: 1 })).toThrow(/momentum is 1/);
    expect(() => maxLearningRate({ ...good, momentum: 0.9 })).toThrow(/momentum is of the optimizer "heavy-ball"/);
    expect(() => maxLearningRate({ ...good, damping: 0.1 })).toThrow(/damping is of the optimizer "adaptive"/);
    expect(() => fitNoise([{ effective: 4, top: Number.NaN }])).toThrow(/top is NaN/);
    expect(() => fitNoise([{ effective: 0, top: 1 }])).toThrow(/effective is 0/);
    expect(() => maxLearningRate({ ...good, optimizer: "adaptive" })).toThrow(/damping is missing/);
    expect(() => batchExtremes({ lambda1: Number.NaN, gamma: 1, effective: 1 })).toThrow(/lambda1 is NaN/);
    expect(() => batchExtremes({ lambda1: 1, effective: 1 })).toThrow(/gamma is missing/);
    expect(() => batchExtremes({ lambda1: 1, noise: { ratio: 0, scale: 1 } })).toThrow(/noise.ratio is 0/);
    expect(() => scaleLearningRate(0.1, 1, 2, "cubic" as "linear")).toThrow(/rule is cubic/);
    expect(() => minDamping({ ...good, learningRate: 0 })).toThrow(/learningRate is 0/);
  });
});

describe("fitted and shrunk", () => {
  it("a line through exact points is found, with its intercept free or known", () => {
    const points = [1, 4, 16].map((effective) => ({ effective, top: 2 + 5 / effective }));
    expect(fitNoise(points).lambda1).toBeCloseTo(2, 12);
    expect(fitNoise(points)).toMatchObject({ r2: expect.closeTo(1, 12), slope: expect.closeTo(5, 12) });
    expect(fitNoise(points, { lambda1: 2 }).gamma).toBeCloseTo(10, 12);
    expect(() => fitNoise(points.slice(0, 1))).toThrow(/two different batches/);
  });

  it("damping is nothing without noise, all of the curvature where everything is noise, and between otherwise", () => {
    const spectrum = { mean: 3, firstResidual: 2 };
    expect(shrinkageDamping(spectrum, 0, 8, 10)).toBe(0);
    expect(shrinkageDamping(spectrum, 32, 8, 10)).toBe(10);
    expect(shrinkageDamping(spectrum, 16, 8, 10)).toBeCloseTo(3, 12); // half is believed
  });
});
