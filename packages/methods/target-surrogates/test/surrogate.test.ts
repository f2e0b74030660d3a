import { largestDifference } from "@offprint/claims";
import {
  asTensor,
  log,
  matmul,
  mean,
  mul,
  softmax,
  square,
  sub,
  sum,
  type Tensor,
  valueAndGrad,
} from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  linearModel,
  losses,
  scheduleFactor,
  type TargetLoss,
  type TargetModel,
  TargetSurrogate,
} from "../src/index.js";
import { InnerProblems } from "../src/inner-problem.js";
import { double, models, rngOf, samples, targetLosses } from "./problems.js";

const n = 7;
const ids = Int32Array.from({ length: n }, (_, i) => i);
const x = rngOf("surrogate").normal([n, 4], double);

async function answer({ oracle }: TargetLoss, z: Tensor) {
  const said = await oracle(z, ids, { grad: true, curvature: true });
  return {
    loss: asTensor(said.loss).mean().item(),
    grad: asTensor(said.grad ?? 0),
    curvature: asTensor(said.curvature ?? 0),
  };
}

describe("the losses", () => {
  it("have the derivatives of finite differences, and curvatures at most L", async () => {
    const { squared, softmax, logistic } = targetLosses(n);
    for (const [loss, C] of [
      [squared, 3],
      [softmax, 3],
      [logistic, 1],
    ] as const) {
      const z = rngOf("z").normal([n, C], double);
      const at = await answer(loss, z);
      for (let k = 0; k < n * C; k++) {
        const values = [...z.data()];
        const [up, down] = await Promise.all(
          [1e-4, -1e-4].map((h) => {
            const moved = Float64Array.from(values);
            moved[k] += h;
            return answer(loss, asTensor(moved).reshape([n, C]));
          }),
        );
        expect(at.grad.data()[k]).toBeCloseTo((n * (up.loss - down.loss)) / 2e-4, 7);
        expect(at.curvature.data()[k]).toBeCloseTo((up.grad.data()[k] - down.grad.data()[k]) / 2e-4, 6);
        expect(at.curvature.data()[k]).toBeLessThanOrEqual(loss.smoothness);
      }
    }
  });
});

describe("the surrogate", () => {
  it("has the value and the gradient of the loss where it was made", async () => {
    const loss = targetLosses(n).squared;
    const y = rngOf("targets");
    y.randint([n], { high: 3 });
    const targets = y.normal([n, 3], double);
    for (const model of Object.values<TargetModel>(models())) {
      const h = (params: any) => mul(0.5, mean(sum(square(sub(model.forward(params, x), targets)), { axis: 1 })));
      const [value, gradient] = (valueAndGrad(h as any) as any)(model.params);
      const z = model.forward(model.params, x);
      const at = await answer(loss, z);
      const q = new TargetSurrogate(z, at.grad, 1 / 0.3, at.loss);
      const found = await new InnerProblems(model, "quadratic", { forward: 0 }).problem(x, q).at(model.params);
      expect(found.value).toBeCloseTo(value.item(), 12);
      expect(largestDifference(found.gradient, gradient)).toBeLessThan(1e-10);
    }
  });

  it("is a regression on the targets of one gradient step in output space, up to a constant", () => {
    const rng = rngOf("regression");
    const [z0, g, a, b] = Array.from({ length: 4 }, () => rng.normal([n, 3], double));
    const eta = 0.7;
    const q = new TargetSurrogate(z0, g, 1 / eta);
    const squares = (z: Tensor) => sum(square(sub(z, sub(z0, g.mul(eta))))).item() / (2 * eta * n);
    expect(q.value(a).item() - q.value(b).item()).toBeCloseTo(squares(a) - squares(b), 12);
  });

  it("has the gradient of its value by the outputs, also with a diagonal", () => {
    const rng = rngOf("diagonal");
    const [z0, g, z] = Array.from({ length: 3 }, () => rng.normal([n, 3], double));
    const q = new TargetSurrogate(z0, g, rng.uniform([n, 3], double).add(0.1), 2);
    const [, gradient] = (valueAndGrad((at: Tensor) => q.value(at)) as any)(z);
    expect(largestDifference(q.gradZ(z), gradient)).toBeLessThan(1e-14);
    expect(q.value(z0).item()).toBe(2);
  });

  it("with Kullback-Leibler's distance is least at the multiplicative update", () => {
    const rng = rngOf("kl");
    const before = softmax(rng.normal([n, 3], double));
    const g = rng.normal([n, 3], double);
    const eta = 0.4;
    const q = new TargetSurrogate(before, g, 1 / eta, 0, "kl");
    const updated = softmax(sub(log(before), g.mul(eta)));
    expect(q.value(before).item()).toBeCloseTo(0, 14);
    for (let k = 0; k < 20; k++) {
      const other = softmax(log(updated).add(rng.normal([n, 3], double).mul(0.1)));
      expect(q.value(other).item()).toBeGreaterThan(q.value(updated).item());
    }
  });

  it("bounds the loss at eta = 1/L for every output, and does not at 4/L", async () => {
    const { squared, softmax: cross, logistic } = targetLosses(n);
    const rng = rngOf("bound");
    for (const [loss, C] of [
      [squared, 3],
      [cross, 3],
      [logistic, 1],
    ] as const) {
      const excess: number[][] = [[], []];
      for (let k = 0; k < 100; k++) {
        const z0 = rng.normal([n, C], double);
        const z = z0.add(rng.normal([n, C], double));
        const [at, there] = [await answer(loss, z0), await answer(loss, z)];
        [1, 0.25].forEach((factor, i) => {
          const q = new TargetSurrogate(z0, at.grad, factor * loss.smoothness, at.loss);
          excess[i].push(q.value(z).item() - there.loss);
        });
      }
      expect(Math.min(...excess[0])).toBeGreaterThanOrEqual(-1e-12);
      expect(Math.min(...excess[1])).toBeLessThan(0);
    }
  });
});

describe("linear models", () => {
  it("have the inner problem of any model, at lower cost", async () => {
    const { x: inputs, labels, ids: all } = samples("linear", 30, 4);
    const model = linearModel(4, 1, { initial: rngOf("w").normal([4, 1], double) });
    const z = model.forward(model.params, inputs);
    const said = await losses.logistic(labels).oracle(z, all, { grad: true, curvature: false });
    const D = rngOf("D").uniform([30, 1], double).add(0.5);
    const q = new TargetSurrogate(z, said.grad ?? 0, D, 0.3);
    const { linear: _, ...traced } = model;
    const [fast, slow] = [model, traced].map((each) =>
      new InnerProblems(each, "quadratic", { forward: 0 }).problem(inputs, q),
    );
    const [a, b] = [await fast.at(model.params), await slow.at(model.params)];
    expect(a.squaredNorm).toBeCloseTo(b.squaredNorm, 12);
    expect(largestDifference(a.gradient, b.gradient)).toBeLessThan(1e-14);
    for (const step of [0.1, 1, 10]) expect(await fast.trial(a, step)).toBeCloseTo(await slow.trial(b, step), 10);
    const [c, d] = [await fast.advance(a, 0.7), await slow.advance(b, 0.7)];
    expect(c.value).toBeCloseTo(d.value, 12);
    expect(largestDifference([c.params, c.gradient], [d.params, d.gradient])).toBeLessThan(1e-13);
    const [again, differently] = [await fast.valueAndGradient(c.params), await slow.valueAndGradient(d.params)];
    expect(again[0].item()).toBeCloseTo(differently[0].item(), 12);
  });

  it("take inputs in float32", () => {
    const inputs = rngOf("f32").normal([3, 4]);
    const model = linearModel(4, 2, { initial: rngOf("w").normal([4, 2]) });
    expect(model.forward(model.params, inputs).dtype).toBe("float64");
    expect(largestDifference(model.forward(model.params, inputs), matmul(inputs.cast("float64"), model.params))).toBe(
      0,
    );
  });
});

describe("schedules", () => {
  it("are 1, 1/sqrt(t+1) and (1/T)^((t+1)/T)", () => {
    expect(scheduleFactor("constant", 7, 10)).toBe(1);
    expect(scheduleFactor("sqrt", 3, 10)).toBe(0.5);
    expect(scheduleFactor("exponential", 9, 10)).toBeCloseTo(0.1, 15);
    expect(scheduleFactor("exponential", 4, 10)).toBeCloseTo(Math.sqrt(0.1), 15);
  });
});
