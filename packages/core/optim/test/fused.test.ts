import { jit, random, type Tensor, tensor, tree } from "@offprint/tensor-core";
import { expect, it } from "vitest";
import {
  adadelta,
  adagrad,
  adam,
  adamw,
  amsgrad,
  applyUpdates,
  type ElementwiseRule,
  elementwiseOptimizer,
  type GradientTransformation,
  rmsprop,
  sgd,
} from "../src/index.js";

const schedule = (step: Tensor) => step.pow(-0.5).mul(0.1);
const options = { learningRate: schedule, weightDecay: 0.05 };
const optimizers = {
  sgd: sgd({ ...options, momentum: 0.8, nesterov: true }),
  adam: adam({ ...options, epsilon: 0 }),
  adamw: adamw(options),
  amsgrad: amsgrad(options),
  adagrad: adagrad(options),
  rmsprop: rmsprop({ ...options, epsilon: 0 }),
  adadelta: adadelta(options),
};

it.each(Object.entries(optimizers))(
  "%s: the fused loop and the traced formula agree to 1e-12",
  async (_, optimizer) => {
    const rng = random.rng("fused");
    let params: any = { a: rng.normal([5, 2], { dtype: "float64" }), b: rng.normal([3], { dtype: "float64" }) };
    let state: any = optimizer.init(params);
    const formula = jit(optimizer.update as any);
    for (let step = 0; step < 30; step++) {
      const g = tree.map((p: Tensor) => rng.normal(p.shape, { dtype: "float64" }), params);
      const fused: any = optimizer.update(g, state, params);
      const traced: any = await formula(g, state, params);
      const [x, y] = [fused, traced].map((r) => tree.leaves<Tensor>(r).flatMap((leaf) => Array.from(leaf.data())));
      x.forEach((v, i) => expect(Math.abs(v - y[i])).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(v))));
      params = applyUpdates(params, fused.updates);
      state = fused.state;
    }
  },
);

it("a rule is asked for its loop only where the values are in memory", async () => {
  const calls: string[] = [];
  const rule: ElementwiseRule<never> = {
    name: "probe",
    slots: [],
    formula: (g) => {
      calls.push("formula");
      return { update: g, slots: {} };
    },
    fused: (g, _, __, update) => {
      calls.push("fused");
      update.set(g);
    },
  };
  const probe = elementwiseOptimizer(rule, { learningRate: 1 });
  const p = tensor([1, 2]);
  probe.update(p, probe.init(p), p);
  await jit(probe.update as any)(p, probe.init(p), p);
  expect(calls).toEqual(["fused", "formula"]);
});

it("a coordinate without a gradient stays put with epsilon 0", () => {
  for (const make of [adam, amsgrad, rmsprop, adagrad]) {
    const optimizer: GradientTransformation = make({ epsilon: 0 });
    const p = tensor([1, 2], { dtype: "float64" });
    const { updates } = optimizer.update(tensor([0, 1], { dtype: "float64" }), optimizer.init(p), p);
    expect(updates.data()[0]).toBe(0);
    expect(updates.data()[1]).toBeLessThan(0);
  }
});
