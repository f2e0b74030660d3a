import { hypergradient, maSoba } from "@offprint/bilevel";
import { div, linalg, matmul, mul, sub, type Tensor, tensor, transpose } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { boRep } from "../src/index.js";
import { noisyProblem, unitProblem } from "./problems.js";

const float64 = { dtype: "float64" } as const;
const { problem, w, t } = unitProblem();
const exact = {
  ...{ lowerStepSize: 1, linearStepSize: 1, period: 1, lowerSteps: 1, momentum: 0 },
  zOrder: "gaussSeidel",
} as const;

/** Runs and keeps x, y, z and m after every iteration. */
async function path(options: Partial<Parameters<typeof boRep<Tensor, Tensor>>[1]>, of = problem) {
  const points: { x: Tensor; y: Tensor; z: Tensor; m: Tensor }[] = [];
  const result = await boRep(of, {
    ...{ stepLength: 0.05, lowerStepSize: 0.5, linearStepSize: 0.5, maxIterations: 8, ...options },
    checkpoint: {
      save: ({ inner }) => void points.push({ x: inner.x, y: inner.y, z: inner.extra.z, m: inner.extra.m }),
    },
  });
  return { points, result };
}

describe("boRep", () => {
  it("is normalised gradient descent where y and z are exact in every iteration", async () => {
    const { points } = await path({ ...exact, refinement: { method: "sgd", steps: 1 } });
    let x = problem.initial.x;
    for (const point of points) {
      const gradient = matmul(transpose(w), sub(matmul(w, x), t));
      x = sub(x, mul(div(gradient, linalg.norm(gradient)), 0.05));
      expectClose(point.x, x, 1e-12);
    }
  });

  it("has the exact hypergradient where z is the solution of the linear system", async () => {
    const { x } = problem.initial;
    const y = matmul(w, x);
    const still = { ...problem, initial: { x, y } };
    const { gradient, z } = await hypergradient(problem, x, y, { solver: "exact" });
    const { points } = await path({ initialZ: z, momentum: 0, refinement: false, maxIterations: 1 }, still);
    expectClose(points[0].m, gradient, 1e-12);
  });

  it("does not see the scale of the upper function, and repeats itself", async () => {
    const scaled = unitProblem(7.3).problem;
    const [a, b, c] = [await path({}), await path({}, scaled), await path({})];
    expectClose(b.result.x, a.result.x, 1e-10);
    expect([...c.result.x.data()]).toEqual([...a.result.x.data()]);
  });

  it("changes y only at iterations whose number before them is a multiple of the period", async () => {
    const { points } = await path({ period: 3, maxIterations: 10 });
    const changed = points.map(({ y }, i) => i > 0 && linalg.norm(sub(y, points[i - 1].y)).item() > 0);
    expect(changed).toEqual([false, false, false, true, false, false, true, false, false, true]);
  });

  it("keeps an update of y within its ball", async () => {
    const { points } = await path({ period: 1, lowerSteps: 5, radius: 0.01, refinement: false });
    for (let i = 1; i < points.length; i++) {
      expect(linalg.norm(sub(points[i].y, points[i - 1].y)).item()).toBeLessThanOrEqual(0.01 * (1 + 1e-12));
    }
  });

  it("averages the iterates of an update as asked", async () => {
    const start = { ...problem, initial: { x: problem.initial.x, y: tensor([3, 1, -2], float64) } };
    const after = async (options: object) =>
      (await path({ period: 1, lowerSteps: 2, refinement: false, maxIterations: 2, ...options }, start)).points;
    const first = (await after({}))[0];
    const target = matmul(w, first.x);
    const w0 = first.y;
    const step = (v: Tensor) => sub(v, mul(sub(v, target), 0.5));
    const [w1, w2] = [step(w0), step(step(w0))];
    expectClose((await after({ average: "last" }))[1].y, w2, 1e-12);
    expectClose((await after({ average: "uniform" }))[1].y, mul(w1.add(w2), 0.5), 1e-12);
    const rho = 0.5 / 1.5;
    const weighted = mul(mul(w0, 1 - rho).add(mul(w1, rho)), 1 - rho).add(mul(w2, rho));
    expectClose((await after({ average: "weighted", strongConvexity: 1 }))[1].y, weighted, 1e-12);
  });

  it("evaluates what the algorithm says, and no more", async () => {
    const noisy = noisyProblem();
    const [k, period, lowerSteps] = [11, 3, 4];
    const options = { stepLength: 0.1, lowerStepSize: 0.1, maxIterations: k, period, lowerSteps };
    const { counts } = await boRep(noisy, { ...options, refinement: { method: "sgd", steps: 6 } });
    const lower = 6 + lowerSteps * Math.floor((k - 1) / period);
    expect(counts).toEqual({
      ...{ gradXF: k, gradYF: k, gradsF: 0, gradXG: 0, gradYG: lower, hvpYY: k, mixedXY: k, productsG: 0 },
    });
    const shared = await boRep(noisy, { ...options, batches: "shared", refinement: false });
    expect(shared.counts).toMatchObject({ gradsF: k, productsG: k, hvpYY: 0, mixedXY: 0, gradXF: 0 });
    const epochs = { method: "epochSgd", stepSize: 0.1, firstSteps: 3, epochs: 3 } as const;
    const refined = await boRep(noisy, { ...options, refinement: epochs, maxIterations: 1 });
    expect(refined.counts.gradYG).toBe(3 * (2 ** 3 - 1));
  });

  it("shares or draws batches, with the same expectation", async () => {
    const [a, b] = [await path({ batches: "shared" }), await path({ batches: "independent" })];
    expectClose(a.result.x, b.result.x, 1e-12);
    const gaussSeidel = await path({ batches: "shared", zOrder: "gaussSeidel" });
    expectClose(gaussSeidel.result.x, (await path({ zOrder: "gaussSeidel" })).result.x, 1e-12);
  });

  it("without normalisation and with updates in every iteration is like MA-SOBA", async () => {
    const options = { lowerStepSize: 0.5, linearStepSize: 0.5, maxIterations: 300 };
    const ours = await boRep(problem, { ...options, stepLength: 0.02, normalize: false, period: 1, lowerSteps: 1 });
    const theirs = await maSoba(problem, { ...options, stepSize: 0.02, refinementSteps: 20 });
    expectClose(ours.x, theirs.x, 0.02);
  });

  it("does not move where the mean is zero, and tells where it was smallest", async () => {
    // Without a gradient in x and z at zero the first hypergradient is zero.
    const { points, result } = await path({ refinement: false, maxIterations: 30, stepLength: (k) => 0.3 / k });
    expectClose(points[0].x, problem.initial.x, 0);
    const norms = result.history.map(({ hypergradientNorm }) => hypergradientNorm);
    const smallest = Math.min(...norms.filter((v) => v > 0));
    expect(result.best?.norm).toBe(smallest);
    const iteration = result.best?.iteration ?? 0;
    expect(norms[iteration - 1]).toBe(smallest);
    expectClose(result.best?.x, points[iteration - 2].x, 0);
  });

  it("says what is wrong", async () => {
    const run = (options: object) => boRep(problem, { stepLength: 1, lowerStepSize: 1, maxIterations: 1, ...options });
    await expect(run({ average: "weighted" })).rejects.toThrow(/needs strongConvexity/);
    await expect(run({ refinement: { method: "none" } })).rejects.toThrow(/refinement is/);
    await expect(run({ refinement: { method: "epochSgd", stepSize: 1, firstSteps: 0, epochs: 1 } })).rejects.toThrow(
      /firstSteps is 0/,
    );
    await expect(run({ initialZ: tensor([1], float64) })).rejects.toThrow(/shape/);
    await expect(
      boRep({ ...problem, lower: (x, y) => sub(x, y) }, { stepLength: 1, lowerStepSize: 1, maxIterations: 1 }),
    ).rejects.toThrow(/lower gave shape \[3\]; it must give a scalar/);
    const broken = {
      ...problem,
      upper: (x: Tensor, y: Tensor) => mul(problem.upper(x, y, null), tensor(Number.NaN, float64)),
    };
    await expect(boRep(broken, { stepLength: 1, lowerStepSize: 1, maxIterations: 9 })).rejects.toThrow(
      /boRep: iteration \d+: /,
    );
  });
});
