import { withSpectrum } from "@offprint/claims/makers";
import { runConformance } from "@offprint/solvers/conformance";
import { add, grad, matmul, mul, neg, random, sub, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { curvatureRates, trainByCurvature } from "../src/index.js";

const matrix = withSpectrum(random.rng(1), [0.5, 1, 2, 4, 8]);
const initial = tensor(Float64Array.of(1, -2, 3, 0.5, -1));
const quadratic = (x: Tensor, shift: Tensor) => mul(sum(mul(add(x, shift), matmul(matrix, add(x, shift)))), 0.5);
const batch = (step: number) => tensor(Float64Array.from({ length: 5 }, (_, i) => 0.01 * Math.sin(step + i)));
const still = () => tensor(new Float64Array(5));
const problem = { loss: quadratic, initial, batch };

describe("training by measured curvature", () => {
  it("takes the optimal rates of a quadratic, and solves it", async () => {
    const { params, history } = await trainByCurvature(
      { ...problem, batch: still },
      { steps: 200, every: 100, safety: 1, smallest: "min-positive" },
    );
    const [high, low] = [Math.sqrt(8), Math.sqrt(0.5)];
    expect(history[0].learningRate).toBeCloseTo((2 / (high + low)) ** 2, 8);
    expect(history[0].momentum).toBeCloseTo(((high - low) / (high + low)) ** 2, 8);
    expect(history[0].measured).toMatchObject({ outcome: "measured", largest: expect.closeTo(8, 8) });
    expect(history[1].measured).toBeUndefined();
    expect(history[100].measured?.outcome).toBe("measured");
    expect(Math.max(...params.data().map(Math.abs))).toBeLessThan(1e-8);
  });

  it("keeps its rates, and says so, where no curvature is positive", async () => {
    const downhill = (x: Tensor, shift: Tensor) => neg(quadratic(x, shift));
    const { history } = await trainByCurvature({ ...problem, loss: downhill }, { steps: 3, learningRate: 0.02 });
    expect(history[0]).toMatchObject({
      learningRate: 0.02,
      momentum: 0,
      measured: { outcome: "no-positive-curvature" },
    });
  });

  it("says that batches are missing", async () => {
    const none = trainByCurvature({ ...problem, batch: undefined as never }, { steps: 3 });
    await expect(none).rejects.toThrow(/trainByCurvature: batch .*function/);
  });

  it("carries curvature from one batch size to another, and gives a damping, where the noise is known", async () => {
    const noise = { gamma: 4, measuredBatch: 4, trainingBatch: 1 };
    const { history } = await trainByCurvature({ ...problem, batch: still }, { steps: 1, noise });
    const full = (8 + Math.sqrt(64 - 4)) / 2;
    expect(history[0].measured?.largest).toBeCloseTo(full + 4 / full, 6);
    expect(history[0].measured?.damping).toBeGreaterThanOrEqual(0);
  });

  it("smooths the largest curvature where it is asked to", async () => {
    const growing = (x: Tensor, scale: Tensor) => mul(quadratic(x, still()), scale);
    const scales = (step: number) => tensor(step + 1, { dtype: "float64" });
    const { history } = await trainByCurvature(
      { loss: growing, initial, batch: scales },
      { steps: 2, every: 1, smoothing: 0.75 },
    );
    expect(history[1].measured?.largest).toBeCloseTo(0.75 * 8 + 0.25 * 16, 6);
  });
});

describe("rates for a loop of one's own", () => {
  it("are those of trainByCurvature, and lead the same way", async () => {
    const options = { safety: 0.5, smoothing: 0.5, lanczosSteps: 4, seed: 3 };
    const { params, history } = await trainByCurvature(problem, { steps: 9, every: 4, ...options });
    const slope = grad(quadratic);
    const measure = curvatureRates(quadratic, initial, options);
    let [w, v, rates] = [initial, mul(initial, 0), measure.first];
    for (let step = 0; step < 9; step++) {
      if (step % 4 === 0) rates = measure.at(w, batch(step), step, rates);
      v = add(mul(v, rates.momentum), slope(w, batch(step)));
      w = sub(w, mul(v, rates.learningRate));
      const { learningRate, momentum, measured } = history[step];
      expect([rates.learningRate, rates.momentum]).toEqual([learningRate, momentum]);
      if (step % 4 === 0) expect(rates.measured).toEqual(measured);
    }
    measure.release();
    expectClose(w, params, 1e-14);
  });

  it("are those of before where there is no positive curvature", () => {
    const downhill = (x: Tensor, shift: Tensor) => neg(quadratic(x, shift));
    const measure = curvatureRates(downhill, initial, { learningRate: 0.02 });
    const found = measure.at(initial, still(), 0);
    expect(found).toMatchObject({ learningRate: 0.02, momentum: 0, measured: { outcome: "no-positive-curvature" } });
    measure.release();
    expect(() => curvatureRates(quadratic, initial, { lanczosSteps: 6 })).toThrow(/curvatureRates: lanczosSteps is 6/);
    expect(() => curvatureRates(quadratic, initial, { every: 4 } as never)).toThrow(/no option "every"/);
  });
});

runConformance(
  "trainByCurvature",
  {
    run: (options) => trainByCurvature(problem, { every: 3, lanczosSteps: 2, ...(options as { steps: number }) }),
    limit: "steps",
    short: 8,
    endless: { steps: 1e9 },
    seeded: true,
    invalid: [
      { every: 0 },
      { lanczosSteps: 6 },
      { smoothing: 1 },
      { learningRate: 0 },
      { safety: 0 },
      { smallest: "least" },
      { noise: { gamma: -1, measuredBatch: 1, trainingBatch: 1 } },
    ],
    nonFinite: [
      () => trainByCurvature({ ...problem, initial: mul(initial, Number.NaN) }, { steps: 2 }),
      () => trainByCurvature({ ...problem, initial: mul(initial, Number.POSITIVE_INFINITY) }, { steps: 2 }),
    ],
  },
  { describe, it, expect },
);
