import { largestDifference } from "@offprint/claims";
import { linalg, matmul, tensor, transpose } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  type InnerOptions,
  linearModel,
  losses,
  majorizeMinimize,
  type SsoOptions,
  sso,
  type TargetModel,
} from "../src/index.js";
import { double, models, rngOf, samples, targetLosses } from "./problems.js";

const n = 30;
const x = rngOf("deterministic").normal([n, 4], double);

describe("majorisation and minimisation", () => {
  it("never raises the loss, whatever solves the surrogate, with eta <= 1/L", async () => {
    const { squared, softmax } = targetLosses(n);
    const solvers: InnerOptions[] = [
      { solver: "armijo", steps: 3 },
      { solver: "fixed", steps: 3, learningRate: 0.5 },
      { solver: "adam", steps: 4, learningRate: 0.3 },
      { solver: "lbfgs", steps: 3 },
      { solver: (_, start) => ({ params: start.params, steps: 0 }) },
      // a solver that makes things worse is not listened to
      { solver: async (problem, start) => ({ params: (await problem.advance(start, -1)).params, steps: 1 }) },
    ];
    for (const [name, model] of Object.entries<TargetModel>(models())) {
      for (const inner of [...solvers, ...(name === "linear" ? [{ solver: "exact" } as const] : [])]) {
        for (const { oracle, smoothness } of inner.solver === "armijo" ? [squared, softmax] : [softmax]) {
          const { history } = await majorizeMinimize(model, { x }, oracle, {
            eta: "theory",
            smoothness,
            steps: 4,
            inner,
          });
          for (let t = 1; t < history.length; t++) {
            expect(history[t].loss).toBeLessThanOrEqual(history[t - 1].loss + 1e-14);
          }
        }
      }
    }
  });

  it.each(["armijo", "fixed", "lbfgs"] as const)("learns targets of any unit alike by %s", async (solver) => {
    const targets = matmul(x, tensor([[1], [-2], [3], [0.5]], double)).data();
    const lossOf = async (unit: number) => {
      const { oracle } = losses.squared(Array.from(targets, (value) => value * unit));
      const { history } = await sso(linearModel(4), { x }, oracle, { eta: 1, steps: 5, inner: { solver, steps: 10 } });
      return (history.at(-1)?.loss as number) / unit ** 2;
    };
    const usual = await lossOf(1);
    expect(await lossOf(1e-6)).toBeLessThan(1.01 * usual + 1e-10);
    expect(await lossOf(1e6)).toBeLessThan(1.01 * usual + 1e-10);
    expect(await lossOf(1e100)).toBeLessThan(1.01 * usual + 1e-10);
    expect(await lossOf(1e-100)).toBeLessThan(1.01 * usual + 1e-10);
  });

  it("is what the stochastic form does with all examples, also with a proximal term over all", async () => {
    const { oracle } = targetLosses(n).softmax;
    const model = models().network;
    const options = { eta: 1, steps: 5, inner: { steps: 4 } };
    const whole = await majorizeMinimize(model, { x }, oracle, options);
    const rows = Int32Array.from({ length: n }, (_, i) => i);
    const batches: SsoOptions["batch"] = Array.from({ length: 5 }, () => rows);
    for (const prox of ["batch", "full"] as const) {
      const run = await sso(model, { x }, oracle, { ...options, batch: batches, prox });
      expect(largestDifference(run.params, whole.params)).toBeLessThan(1e-10);
    }
    const shuffled = await sso(model, { x }, oracle, { ...options, batch: n, seed: 3 });
    expect(largestDifference(shuffled.params, whole.params)).toBeLessThan(1e-10);
  });

  it("solved exactly is the limit of many searched steps, and does not see the scaling of the features", async () => {
    const { x: inputs, labels } = samples("exact", 40, 3);
    const { oracle, smoothness } = losses.logistic(labels);
    const run = (at: typeof inputs, inner: InnerOptions, steps = 6) =>
      majorizeMinimize(linearModel(3), { x: at }, oracle, { eta: 0.1 / smoothness, steps, inner });
    const exact = await run(inputs, { solver: "exact" });
    const many = await run(inputs, { steps: 3000, tolerance: 1e-12 }, 1);
    expect(largestDifference(many.params, (await run(inputs, { solver: "exact" }, 1)).params)).toBeLessThan(1e-6);
    const mixed = matmul(inputs, rngOf("R").normal([3, 3], double));
    const scaled = await run(mixed, { solver: "exact" });
    expect(largestDifference(matmul(mixed, scaled.params), matmul(inputs, exact.params))).toBeLessThan(1e-8);
    scaled.history.forEach(({ loss }, t) => {
      expect(loss).toBeCloseTo(exact.history[t].loss, 10);
    });
  });

  it("reaches least squares by one expensive call", async () => {
    const { x: inputs, y } = samples("once", 40, 3);
    const { oracle } = losses.squared(y);
    const { params } = await majorizeMinimize(linearModel(3), { x: inputs }, oracle, {
      eta: 1,
      steps: 1,
      inner: { solver: "exact" },
    });
    expect(largestDifference(params, linalg.lstsq(inputs, y.reshape([40, 1])))).toBeLessThan(1e-10);
  });

  it("with a ridge is regularised least squares", async () => {
    const { x: inputs, y } = samples("ridge", 40, 3);
    const { params } = await majorizeMinimize(linearModel(3), { x: inputs }, losses.squared(y).oracle, {
      eta: 1,
      steps: 1,
      inner: { solver: "exact", ridge: 2 },
    });
    const gram = matmul(transpose(inputs), inputs).add(
      tensor([2, 0, 0, 0, 2, 0, 0, 0, 2], { shape: [3, 3], ...double }),
    );
    const expected = linalg.solve(gram, matmul(transpose(inputs), y.reshape([40, 1])));
    expect(largestDifference(params, expected)).toBeLessThan(1e-12);
  });

  it("ends where the gradient is small enough", async () => {
    const { x: inputs, y } = samples("tol", 40, 3);
    const run = await majorizeMinimize(linearModel(3), { x: inputs }, losses.squared(y).oracle, {
      eta: 1,
      steps: 50,
      tolerance: 1e-8,
      inner: { solver: "exact" },
    });
    expect(run.status).toBe("converged");
    expect(run.history).toHaveLength(1);
  });
});

describe("the exact solver with a proximal term over all examples", () => {
  it("is projected stochastic gradient descent in target space", async () => {
    const { x: inputs, labels, ids } = samples("projected", 20, 3);
    const { oracle } = losses.logistic(labels);
    const rows = Int32Array.of(2, 3, 5, 7, 11);
    const eta = 0.8;
    const model = linearModel(3, 1, { initial: rngOf("w0").normal([3, 1], double) });
    const { params } = await sso(model, { x: inputs }, oracle, {
      eta,
      steps: 1,
      batch: [rows],
      prox: "full",
      inner: { solver: "exact" },
    });
    const z = matmul(inputs, model.params);
    const said = await oracle(z, ids, { grad: true, curvature: false });
    const moved = Float64Array.from(z.data());
    const g = (said.grad as typeof z).data();
    for (const i of rows) moved[i] -= (eta * 20 * g[i]) / rows.length;
    const projected = matmul(inputs, linalg.lstsq(inputs, tensor(moved, { shape: [20, 1] })));
    expect(largestDifference(matmul(inputs, params), projected)).toBeLessThan(1e-12);
  });
});
