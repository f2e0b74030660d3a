import { linalg, NonFiniteError, random, type Tensor, tensor } from "@offprint/tensor-core";
import { readFixture } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { canyon, quadratic, rastrigin, wShaped } from "../claims/landscapes.js";
import {
  cbo,
  consensusHopping,
  gradientDescent,
  hopGradient,
  pathDiagnostics,
  proximalPath,
  proximalStep,
} from "../src/index.js";
import { plain } from "./plain.js";

const fixture = readFixture<any>(import.meta.url, "numpy.json");
const values = (x: Tensor) => Array.from(x.data());
const A = [
  [2, 0.5, 0],
  [0.5, 1, 0.3],
  [0, 0.3, 3],
];
const form = (v: ArrayLike<number>) => {
  let total = 0;
  for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) total += 0.5 * v[i] * A[i][j] * v[j];
  return total;
};
const implicit = (x: number[], tau: number) => {
  const matrix = A.map((row, i) => row.map((a, j) => (i === j ? 1 : 0) + tau * a));
  return values(linalg.solve(tensor(matrix, { dtype: "float64" }), tensor(x, { dtype: "float64" })));
};

describe("a hop", () => {
  it("is the gradient for a small width: (1, ...) alpha 1, width 0.1, within 5 % for 1e6 samples", async () => {
    const slope = { objective: { perParticle: (v: Float64Array) => Math.sin(v[0]) + 0.5 * v[1] + 0.1 * v[0] * v[1] } };
    const x = [0.4, -0.3];
    const { gradient, nEff } = await hopGradient(slope, x, { width: 0.1, alpha: 1, samples: 1e6 });
    const exact = [Math.cos(x[0]) + 0.1 * x[1], 0.5 + 0.1 * x[0]];
    const off = Math.hypot(...values(gradient).map((g, j) => g - exact[j])) / Math.hypot(...exact);
    expect(off).toBeLessThan(0.05);
    expect(nEff).toBeGreaterThan(9e5);
  });

  it("on a quadratic is (I + tau A)^-1 x for every alpha, up to a few s / sqrt(nEff)", async () => {
    const x = [1, -2, 0.5];
    for (const [alpha, width] of [
      [0.5, 0.4],
      [5, 0.3],
      [20, 0.15],
    ]) {
      const { point, nEff } = await hopGradient({ objective: { perParticle: form } }, x, {
        width,
        alpha,
        samples: 4e4,
      });
      const exact = implicit(x, alpha * width * width);
      values(point).forEach((h, j) => {
        expect(Math.abs(h - exact[j])).toBeLessThan((5 * width) / Math.sqrt(nEff));
      });
    }
  });

  it("is a weighted mean of gradients, and does not depend on how samples are split into batches", async () => {
    const { objective } = rastrigin;
    const value = plain(rastrigin);
    const samples = 40_000;
    const options = { width: 0.4, alpha: 1, samples };
    const { gradient, weightedGradient } = await hopGradient({ objective }, [3, 2], {
      ...options,
      gradient: "autodiff",
    });
    const off = values(gradient).map((g, j) => g - values(weightedGradient!)[j]);
    expect(Math.hypot(...off)).toBeLessThan(0.15 * Math.hypot(...values(gradient)));
    const { point, nEff } = await hopGradient({ objective: { perParticle: value } }, [3, 2], options);
    const z = random.rng(0).normal([samples, 2], { dtype: "float64" }).data();
    const sums = [0, 0, 0, 0];
    for (let i = 0; i < samples; i++) {
      const v = [3 + 0.4 * z[2 * i], 2 + 0.4 * z[2 * i + 1]];
      const w = Math.exp(-value(v));
      [w * v[0], w * v[1], w, w * w].forEach((term, k) => {
        sums[k] += term;
      });
    }
    expect(values(point)[0]).toBeCloseTo(sums[0] / sums[2], 10);
    expect(values(point)[1]).toBeCloseTo(sums[1] / sums[2], 10);
    expect(nEff / (sums[2] ** 2 / sums[3])).toBeCloseTo(1, 9);
  });

  it("warns where the step is longer than the samples reach", async () => {
    const problem = { objective: { perParticle: plain(wShaped) } };
    const far = await hopGradient(problem, [3], { width: Math.sqrt(0.05 / 1000), alpha: 1000 });
    expect(far.warnings.join()).toMatch(/as long as the samples reach/);
    expect(far.nEff).toBeLessThan(5);
    expect(far.warnings.join()).toMatch(/samples decide/);
    expect((await hopGradient(problem, [3], { width: 0.1, alpha: 1 })).warnings).toEqual([]);
  });
});

describe("gradient descent and Langevin dynamics", () => {
  it("take the step x - lr dt grad E(x)", async () => {
    const { x, objective, iterations, evaluations } = await gradientDescent(
      { objective: quadratic.objective },
      { initial: [1, -2], learningRate: 0.5, dt: 0.1, maxIterations: 3 },
    );
    expect(values(x)[0]).toBeCloseTo(0.95 ** 3, 13);
    expect(values(x)[1]).toBeCloseTo(-2 * 0.95 ** 3, 13);
    expect(objective).toBeCloseTo(0.5 * 5 * 0.95 ** 6, 12);
    expect([iterations, evaluations]).toEqual([3, 4]);
  });

  it("anneal the noise by 1 / ln(k + 1), from k = 1", async () => {
    const [sigma, dt] = [10, 1e-3];
    const { path } = await gradientDescent(
      { objective: { perParticle: () => 0 }, dimension: 1 },
      { initial: [0], langevinSigma: sigma, dt, maxIterations: 3, recordEvery: 1, seed: 4 },
    );
    const z = random.rng("4/noise/0").normal([3], { dtype: "float64" }).data();
    let x = 0;
    for (let k = 1; k <= 3; k++) {
      x += (sigma / Math.log(k + 1)) * Math.sqrt(dt) * z[k - 1];
      expect(values(path)[k]).toBeCloseTo(x, 10);
    }
  });

  it("run several chains, each on its own", async () => {
    const problem = { objective: canyon().objective };
    const both = await gradientDescent(problem, {
      initial: [
        [8, 8],
        [1, 1],
      ],
      maxIterations: 20,
    });
    const one = await gradientDescent(problem, { initial: [1, 1], maxIterations: 20 });
    expect(both.x.shape).toEqual([2, 2]);
    expect(values(both.x).slice(2)).toEqual(values(one.x));
    expect((both.objective as Float64Array)[1]).toBe(one.objective);
    expect(both.evaluations).toBe(42);
  });

  it("count 2 d evaluations a step for differences, whose error falls with the square of the spacing", async () => {
    const problem = { objective: { perParticle: (v: Float64Array) => Math.exp(v[0]) + Math.sin(v[1]) } };
    const error = async (spacing: number) => {
      const run = await gradientDescent(problem, {
        initial: [0.3, 0.7],
        maxIterations: 1,
        dt: 1,
        gradient: { spacing },
      });
      expect(run.evaluations).toBe(2 * 2 + 1);
      const [a, b] = values(run.x);
      return Math.hypot(0.3 - Math.exp(0.3) - a, 0.7 - Math.cos(0.7) - b);
    };
    expect((await error(0.1)) / (await error(0.01))).toBeCloseTo(100, 0);
    expect(await error(1e-4)).toBeLessThan(1e-8);
  });

  it("end in a well of the noisy canyon, and follow the smooth one to its minimum", async () => {
    const end = async (noisy: boolean) => {
      const { objective } = canyon(noisy);
      return values((await gradientDescent({ objective }, { initial: [8, 8] })).x);
    };
    expect(Math.hypot(...(await end(false)))).toBeLessThan(1e-3);
    const well = await end(true);
    expect(well[0]).toBeCloseTo(2.336, 2);
    expect(well[1]).toBeCloseTo(2.466, 2);
  });

  it("stay in a box, stop when told, and tell when they diverge", async () => {
    const bowl = { objective: { perParticle: plain(quadratic) } };
    const boxed = await gradientDescent(
      { ...bowl, bounds: { lower: 1, upper: 3 } },
      { initial: [2, 2], dt: 1, learningRate: 5, maxIterations: 5 },
    );
    expect(values(boxed.x).every((x) => x >= 1 && x <= 3)).toBe(true);
    const stopped = await gradientDescent(bowl, {
      initial: [1],
      maxIterations: 100,
      recordEvery: 10,
      onProgress: ({ iteration }) => iteration === 30 && "stop",
    });
    expect([stopped.status, stopped.iterations]).toEqual(["stopped", 30]);
    const aborted = await gradientDescent(bowl, { initial: [1], maxIterations: 100, signal: AbortSignal.abort() });
    expect([aborted.status, aborted.iterations]).toEqual(["aborted", 0]);
    const cliff = { objective: (v: Tensor) => v.pow(4).neg().reshape([-1]) };
    const wild = await gradientDescent(cliff, { initial: [3], dt: 1, maxIterations: 100 }).catch((e) => e);
    expect(wild).toBeInstanceOf(NonFiniteError);
    expect(wild.state.inner.x.every(Number.isFinite)).toBe(true);
  });
});

describe("the proximal step", () => {
  it("is that of SciPy on the W-shaped energy", async () => {
    const [y] = values(await proximalStep({ objective: { perParticle: plain(wShaped) } }, [3], 0.05));
    expect(y).toBeCloseTo(fixture.prox, 7);
    expect(y).toBeCloseTo(3.277322, 5);
  });

  it("is (I + tau A)^-1 x on a quadratic, in three dimensions", async () => {
    const x = [1, -2, 0.5];
    const y = values(await proximalStep({ objective: { perParticle: form } }, x, 0.45));
    implicit(x, 0.45).forEach((exact, j) => {
      expect(y[j]).toBeCloseTo(exact, 6);
    });
  });

  it("shrinks to 0 by tau for |x|, and finds another basin when tau is large", async () => {
    const cusp = { objective: { perParticle: (v: Float64Array) => Math.abs(v[0]) } };
    expect(values(await proximalStep(cusp, [3], 0.5))[0]).toBeCloseTo(2.5, 7);
    expect(values(await proximalStep(cusp, [0.3], 0.5))[0]).toBeCloseTo(0, 7);
    const far = values(await proximalStep({ objective: { perParticle: plain(wShaped) } }, [3], 50))[0];
    expect(Math.abs(far)).toBeLessThan(0.1);
  });

  it("repeated, walks to the minimiser as hopping with many samples does", async () => {
    const problem = { objective: { perParticle: (v: Float64Array) => 0.5 * v[0] ** 2 } };
    const path = values(await proximalPath(problem, { initial: [4], tau: 0.25, steps: 6 }));
    path.forEach((x, k) => {
      expect(x).toBeCloseTo(4 / 1.25 ** k, 6);
    });
    const hops = await consensusHopping(problem, {
      initial: [4],
      width: 0.5,
      alpha: 1,
      particles: 20_000,
      maxIterations: 5,
    });
    values(hops.path).forEach((x, k) => {
      expect(Math.abs(x - 4 / 1.25 ** (k + 1))).toBeLessThan(0.03);
    });
  });
});

describe("diagnostics of a path", () => {
  it("gradient descent has cosine 1 and lengths of its steps", async () => {
    const problem = { objective: canyon().objective };
    const { path: visited } = await gradientDescent(problem, { initial: [6, 5], maxIterations: 10, recordEvery: 1 });
    const { energy, cosine, length } = await pathDiagnostics(problem, visited);
    cosine.forEach((c) => {
      expect(c).toBeCloseTo(1, 9);
    });
    for (let k = 1; k <= 10; k++) expect(energy[k]).toBeLessThan(energy[k - 1]);
    const path = visited.toArray() as number[][];
    expect(length[0]).toBeCloseTo(Math.hypot(path[1][0] - path[0][0], path[1][1] - path[0][1]), 12);
  });

  it("hops of many samples on a smooth energy go down the gradient", async () => {
    const problem = { objective: quadratic.objective, dimension: 2 };
    const options = { initial: [3, -2], width: 0.2, alpha: 5, particles: 20_000, maxIterations: 6 };
    const { path } = await consensusHopping(problem, options);
    const { cosine } = await pathDiagnostics(problem, path, { gradient: "finite-difference" });
    for (const c of cosine) expect(c).toBeGreaterThan(0.98);
  });

  it("the consensus of a swarm goes downhill on the whole", async () => {
    const problem = { objective: { perParticle: plain(canyon()) }, dimension: 2 };
    const { path } = await cbo(problem, { mean: 8, std: 0.5 });
    const { energy } = await pathDiagnostics(problem, path);
    expect(energy[250]).toBeLessThan(0.05 * energy[0]);
  });
});

it("differences, descents and paths are right beside large coordinates, and a descent begins within its bounds", async () => {
  const objective = { perParticle: (v: Float64Array) => (v[0] / 1e20) ** 2 };
  const { x } = await gradientDescent({ objective }, { initial: [1e20], dt: 0.25e40, maxIterations: 1 });
  expect(x.item() / 1e20).toBeCloseTo(0.5, 6);
  const far = await pathDiagnostics({ objective: { perParticle: (v) => v[0] / 1e160 } }, [[2e160], [1e160]]);
  expect(far.cosine[0]).toBeCloseTo(1, 12);
  expect(far.length[0] / 1e160).toBeCloseTo(1, 12);
  const boxed = await gradientDescent({ objective, bounds: [[0, 1]] }, { initial: [5], maxIterations: 0 });
  expect([boxed.x.item(), boxed.path.data()[0]]).toEqual([1, 1]);
});
