import {
  abs,
  add,
  div,
  equal,
  jit,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  maximum,
  minimum,
  mul,
  neg,
  random,
  relu,
  sigmoid,
  sqrt,
  sub,
  sum,
  type Tensor,
  tan,
  tensor,
  tree,
  where,
} from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  adabelief,
  adadelta,
  adagrad,
  adam,
  adamax,
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
  adamax: adamax({ ...options, epsilon: 0 }),
  adabelief: adabelief(options),
  adagrad: adagrad(options),
  rmsprop: rmsprop({ ...options, epsilon: 0 }),
  adadelta: adadelta(options),
};

it.each(Object.entries(optimizers))(
  "%s: the update alone and as a part of a compiled function agree to 1e-12",
  async (_, optimizer) => {
    const rng = random.rng("compiled update");
    let params: any = { a: rng.normal([5, 2], { dtype: "float64" }), b: rng.normal([3], { dtype: "float64" }) };
    let state: any = optimizer.init(params);
    const formula = jit(optimizer.update as any);
    for (let step = 0; step < 30; step++) {
      const g = tree.map((p: Tensor) => rng.normal(p.shape, { dtype: "float64" }), params);
      const alone: any = optimizer.update(g, state, params);
      const traced: any = await formula(g, state, params);
      const [x, y] = [alone, traced].map((r) => tree.leaves<Tensor>(r).flatMap((leaf) => Array.from(leaf.data())));
      x.forEach((v, i) => expect(Math.abs(v - y[i])).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(v))));
      params = applyUpdates(params, alone.updates);
      state = alone.state;
    }
  },
);

describe("the update of values in memory", () => {
  const probe = (formula: (g: Tensor) => Tensor, traceable?: boolean) => {
    const calls: string[] = [];
    const rule: ElementwiseRule<never> = {
      name: "probe",
      slots: [],
      formula: (g) => {
        calls.push(g.storage.kind);
        return { update: formula(g), slots: {} };
      },
      ...(traceable !== undefined && { traceable }),
    };
    return { optimizer: elementwiseOptimizer(rule, { learningRate: 1 }), calls };
  };
  const p = tensor([1, -2, 3]);

  it("traces the formula once and never runs it again", () => {
    const { optimizer, calls } = probe((g) => mul(g, 2));
    for (let i = 0; i < 3; i++) expect(optimizer.update(p, optimizer.init(p), p).updates.toArray()).toEqual([2, -4, 6]);
    expect(calls).toEqual(["symbolic"]);
  });

  it("may hold any operation; what reads values is carried out operation by operation", () => {
    const reduced = probe((g) => mul(g, sum(g)));
    expect(reduced.optimizer.update(p, reduced.optimizer.init(p), p).updates.toArray()).toEqual([2, -4, 6]);
    expect(reduced.calls).toEqual(["symbolic"]);
    const without = probe((g) => tan(g));
    expect(without.optimizer.update(p, without.optimizer.init(p), p).updates.data()[0]).toBeCloseTo(Math.tan(1), 6);
    const reading = probe((g) => mul(g, g.data().length), false);
    expect(reading.optimizer.update(p, reading.optimizer.init(p), p).updates.toArray()).toEqual([3, -6, 9]);
    expect(reading.calls).toEqual(["host"]);
  });

  it("reads a gradient whose buffer was written to, and keeps its state apart from it", () => {
    const rule: ElementwiseRule<"before"> = {
      name: "probe",
      slots: ["before"],
      formula: (g, { before }) => ({ update: sub(g, before), slots: { before: g } }),
    };
    const optimizer = elementwiseOptimizer(rule, { learningRate: 1 });
    for (const size of [3, 20_000]) {
      const buffer = new Float64Array(size).fill(1);
      const g = tensor(buffer);
      const first = optimizer.update(g, optimizer.init(g), g);
      buffer.fill(5);
      const second = optimizer.update(g, first.state, g);
      expect([first.updates.data()[0], second.updates.data()[size - 1]]).toEqual([1, 4]);
    }
  });

  const operations: Record<string, (g: Tensor) => Tensor> = {
    "add, sub, mul, div, neg": (g) => neg(div(sub(mul(g, 3), 1), add(g, 0.3))),
    "abs, sqrt, maximum, minimum, relu": (g) => relu(minimum(maximum(sqrt(abs(g)), 0.7), add(g, 1))),
    "comparisons, logic, where": (g) =>
      where(logicalAnd(logicalNot(less(g, -0.5)), logicalOr(equal(g, 0), lessEqual(g, 0.5))), g, mul(g, 2)),
    sigmoid: (g) => sigmoid(mul(g, 30)),
  };

  it.each(Object.entries(operations))("%s equal the operations on tensors, for any length", (name, formula) => {
    for (const [dtype, tolerance] of [
      ["float32", 3e-7],
      ["float64", 1e-15],
    ] as const) {
      for (const size of [1, 2, 5, 4096, 10_001]) {
        const g = random.rng(size).normal([size], { dtype });
        const { optimizer } = probe(formula);
        const compiled = optimizer.update(g, optimizer.init(g), g).updates.data();
        const expected = formula(g).data();
        const bound = name === "sigmoid" ? tolerance : 0;
        expect(Math.max(...compiled.map((v: number, i: number) => Math.abs(v - expected[i])))).toBeLessThanOrEqual(
          bound,
        );
      }
    }
  });

  it("the sigmoid is exact at 0, symmetric, and never overflows", () => {
    const { optimizer } = probe((g) => sigmoid(g));
    for (const dtype of ["float32", "float64"] as const) {
      const g = tensor([0, -0, 1e30, -1e30, 710, -710, 40, -40, 1e-30], { dtype });
      const s = Array.from(optimizer.update(g, optimizer.init(g), g).updates.data() as Float64Array);
      expect(s.slice(0, 3)).toEqual([0.5, 0.5, 1]);
      expect(s[3]).toBeLessThan(1e-37);
      expect([s[4], s[6], s[8]]).toEqual([1, 1, 0.5]);
      expect(Math.abs(s[7] / Math.exp(-40) - 1)).toBeLessThan(1e-6);
    }
  });
});

it("a coordinate without a gradient stays put with epsilon 0", () => {
  for (const make of [adam, amsgrad, adamax, adabelief, rmsprop, adagrad]) {
    const optimizer: GradientTransformation = make({ epsilon: 0 });
    const p = tensor([1, 2], { dtype: "float64" });
    const { updates } = optimizer.update(tensor([0, 1], { dtype: "float64" }), optimizer.init(p), p);
    expect(Math.abs(updates.data()[0])).toBe(0);
    expect(updates.data()[1]).toBeLessThan(0);
  }
});
