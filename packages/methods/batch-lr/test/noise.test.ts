import { runConformance } from "@offprint/solvers/conformance";
import {
  add,
  linalg,
  matmul,
  mean,
  mul,
  random,
  square,
  sub,
  sum,
  type Tensor,
  take,
  tanh,
  tensor,
} from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { curvature, effectiveBatch, estimateNoise, maxLearningRate } from "../src/index.js";

const rng = random.rng("noise");
const samples = 6;
const x = rng.normal([samples, 3], { dtype: "float64" });
const y = rng.normal([samples, 1], { dtype: "float64" });
const params = { a: rng.normal([3, 2], { dtype: "float64" }), b: rng.normal([2, 1], { dtype: "float64" }) };
type Net = typeof params;
interface Batch {
  readonly x: Tensor;
  readonly y: Tensor;
}
const loss = ({ a, b }: Net, batch: Batch) => mean(square(sub(matmul(tanh(matmul(batch.x, a)), b), batch.y)));
const sample = (indices: Int32Array): Batch => ({ x: take(x, indices, { axis: 0 }), y: take(y, indices, { axis: 0 }) });
const problem = { loss, params, sample, samples };

const n = 8;
const hessian = curvature(loss);
function dense(indices: readonly number[]): Float64Array[] {
  const apply = hessian.at(params, sample(Int32Array.from(indices)));
  return Array.from({ length: n }, (_, j) => {
    const out = new Float64Array(n);
    apply(
      Float64Array.from({ length: n }, (_, i) => (i === j ? 1 : 0)),
      out,
    );
    return out;
  });
}
const times = (matrix: readonly Float64Array[], v: ArrayLike<number>) =>
  matrix.map((row) => row.reduce((total, value, i) => total + value * v[i], 0));
const all = Array.from({ length: samples }, (_, i) => i);
const full = dense(all);

/** All subsets of a size. */
function subsets(size: number, from = 0): number[][] {
  if (size === 0) return [[]];
  return all.slice(from).flatMap((first) => subsets(size - 1, first + 1).map((rest) => [first, ...rest]));
}

describe("the noise of batch Hessians", () => {
  it("along the top eigenvector is what enumeration of all batches gives, whatever their size", async () => {
    const { directional, lambda1 } = await estimateNoise(problem, { methods: ["directional"], steps: n });
    const flat = tensor(Float64Array.from(full.flatMap((row) => [...row])), { shape: [n, n] });
    const { values, vectors } = linalg.eigh(flat);
    expect(lambda1).toBeCloseTo(values.data()[n - 1], 10);
    const u = Array.from({ length: n }, (_, i) => vectors.data()[i * n + n - 1]);
    for (const size of [1, 2, 4]) {
      const squares = subsets(size).map((chosen) => {
        const difference = times(dense(chosen), u).map((value, i) => value - times(full, u)[i]);
        const along = difference.reduce((total, value, i) => total + value * u[i], 0);
        return difference.reduce((total, value) => total + value * value, 0) - along * along;
      });
      const expected = squares.reduce((total, each) => total + each, 0) / squares.length;
      expect(directional! / effectiveBatch(size, samples)).toBeCloseTo(expected, 9);
    }
  });

  it("over all directions has the mean of Frobenius norms per parameter", async () => {
    const noise = await estimateNoise(problem, { methods: ["hutchinson"], probes: 400, steps: n });
    const frobenius = all.map((i) =>
      dense([i]).reduce((total, row, j) => total + row.reduce((sum, v, k) => sum + (v - full[j][k]) ** 2, 0), 0),
    );
    const expected = ((frobenius.reduce((a, b) => a + b, 0) / samples / n) * samples) / (samples - 1);
    expect(noise.hutchinson! / expected).toBeGreaterThan(0.9);
    expect(noise.hutchinson! / expected).toBeLessThan(1.1);
    expect(noise.method).toBe("hutchinson");
  });

  it("fitted, names the batch below which the top drowns, and is the one to use", async () => {
    const noise = await estimateNoise(problem, { batches: [1, 2, 3], repeats: 10, steps: n });
    expect(noise.method).toBe("fit");
    expect(noise.gamma).toBe(noise.fit!.gamma);
    expect(noise.criticalBatch).toBeCloseTo(noise.gamma / noise.lambda1 ** 2, 12);
    expect(noise.byBatch.map(({ batch }) => batch)).toEqual([1, 2, 3]);
    expect(noise.status).toBe("limit");
  });

  it("is none where all samples are alike, so that steps are as long as without", async () => {
    const alike = { ...problem, sample: (chosen: Int32Array) => problem.sample(chosen.map(() => 0)) };
    const { lambda1, gamma, criticalBatch } = await estimateNoise(alike, { batches: [1, 2, 3], repeats: 4, steps: n });
    expect(gamma).toBeGreaterThanOrEqual(0);
    expect(gamma).toBeLessThan(1e-10 * lambda1 ** 2);
    expect(criticalBatch).toBeGreaterThanOrEqual(0);
    expect(maxLearningRate({ lambda1, gamma, effective: 2 })).toBeCloseTo(2 / lambda1, 6);
    const flat = { ...problem, loss: ({ a, b }: Net) => add(sum(a), sum(b)) };
    expect((await estimateNoise(flat, { batches: [1, 2], repeats: 2, steps: n })).criticalBatch).toBe(0);
  });

  it("refuses sizes and methods that are none", async () => {
    await expect(estimateNoise(problem, { batches: [7, 2] })).rejects.toThrow(/batches is 7/);
    await expect(estimateNoise(problem, { batches: [2], methods: ["fit"] })).rejects.toThrow(/two different/);
    await expect(estimateNoise(problem, { methods: [] })).rejects.toThrow(/methods is empty/);
    await expect(estimateNoise(problem, { methods: "fit" as never })).rejects.toThrow(/methods is fit; give an array/);
    await expect(estimateNoise({ ...problem, sample: undefined as never })).rejects.toThrow(/sample .*function/);
    await expect(estimateNoise({ ...problem, samples: 1 })).rejects.toThrow(/samples is 1/);
  });
});

runConformance(
  "estimateNoise",
  {
    run: ({ repeats, ...options }) =>
      estimateNoise(problem, { methods: ["fit"], batches: [1, 2], steps: 3, ...options, repeats: repeats as number }),
    limit: "repeats",
    short: 4,
    endless: { repeats: 1e5 },
    seeded: true,
    invalid: [{ batches: [0, 2] }, { steps: 0 }, { noiseBatch: 4 }, { probes: 0 }, { methods: ["mean"] }],
    nonFinite: [() => estimateNoise({ ...problem, params: { ...params, a: mul(params.a, Number.NaN) } }, { steps: 2 })],
  },
  { describe, it, expect },
);

it("a sum in place of a mean is seen at once: the fitted top grows with the batch", async () => {
  const summed = ({ a, b }: Net, batch: Batch) => sum(square(sub(matmul(tanh(matmul(batch.x, a)), b), batch.y)));
  const { fit } = await estimateNoise(
    { ...problem, loss: summed },
    { methods: ["fit"], batches: [1, 2, 3], repeats: 10, steps: n },
  );
  expect(fit!.slope).toBeLessThan(0);
});
