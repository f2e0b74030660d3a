import { asTensor, grad, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  type Activation,
  activation,
  applyActivation,
  derivativeAt,
  derivativeBounds,
  type Parameters,
  type ScalarName,
  slopeBounds,
} from "../src/index.js";

const functions: [ScalarName, Parameters, (x: number) => number, corners: number[]][] = [
  ["relu", {}, (x) => Math.max(x, 0), [0]],
  ["leakyRelu", { slope: 0.2 }, (x) => (x > 0 ? x : 0.2 * x), [0]],
  ["tanh", {}, Math.tanh, []],
  ["sigmoid", {}, (x) => 1 / (1 + Math.exp(-x)), []],
  ["softplus", {}, (x) => Math.log1p(Math.exp(x)), []],
  ["softsign", {}, (x) => x / (1 + Math.abs(x)), [0]],
  ["elu", { alpha: 2 }, (x) => (x > 0 ? x : 2 * Math.expm1(x)), [0]],
  ["celu", { alpha: 2 }, (x) => (x > 0 ? x : 2 * Math.expm1(x / 2)), []],
  ["selu", { alpha: 1.5, gamma: 1.2 }, (x) => 1.2 * (x > 0 ? x : 1.5 * Math.expm1(x)), [0]],
  // Phi by Simpson's rule from 0.
  ["gelu", {}, (x) => x * (0.5 + simpson((t) => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI), 0, x)), []],
  ["silu", {}, (x) => x / (1 + Math.exp(-x)), []],
  ["identity", {}, (x) => x, []],
  ["abs", {}, Math.abs, [0]],
  ["clip", { low: -1, high: 2 }, (x) => Math.min(Math.max(x, -1), 2), [-1, 2]],
  ["hardSigmoid", { alpha: 0.25, beta: 0.4 }, (x) => Math.min(Math.max(0.25 * x + 0.4, 0), 1), [-1.6, 2.4]],
  ["hardSwish", {}, (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6, [-3, 3]],
];

function simpson(f: (t: number) => number, a: number, b: number): number {
  const n = 2000;
  const h = (b - a) / n;
  let total = f(a) + f(b);
  for (let k = 1; k < n; k++) total += f(a + k * h) * (k % 2 === 0 ? 2 : 4);
  return (total * h) / 3;
}

const grid = Array.from({ length: 17 }, (_, k) => -4.03 + 0.5 * k);

describe.each(functions)("%s", (name, parameters, f, corners) => {
  const act = activation(name, parameters);
  const centred = (x: number) => (f(x + 1e-5) - f(x - 1e-5)) / 2e-5;

  it("has the values of its formula, and derivatives that are those of its values", () => {
    const values = applyActivation(act, tensor(Float64Array.from(grid))).data();
    for (const [k, x] of grid.entries()) {
      expect(values[k]).toBeCloseTo(f(x), 12);
      expect(derivativeAt(act, x)).toBeCloseTo(centred(x), 6);
    }
  });

  it("is differentiated by tensor-core as by its own derivative", () => {
    const slopes = grad((x: Tensor) => sum(applyActivation(act, x)))(tensor(Float64Array.from(grid)));
    for (const [k, x] of grid.entries()) expect(asTensor(slopes).data()[k]).toBeCloseTo(derivativeAt(act, x), 12);
  });

  it("bounds hold on every interval and are reached", () => {
    for (const [i, a] of grid.entries()) {
      for (const b of grid.slice(i)) {
        const { lower, upper } = derivativeBounds(act, a, b);
        // Dense points inside, and both sides of corners.
        const inside = Array.from({ length: 120 }, (_, k) => a + ((b - a) * k) / 119);
        for (const corner of corners) {
          if (a <= corner && corner <= b) inside.push(corner - 1e-12, corner + 1e-12);
        }
        let [least, largest] = [Infinity, -Infinity];
        for (const x of inside) {
          const slope = derivativeAt(act, x);
          least = Math.min(least, slope);
          largest = Math.max(largest, slope);
        }
        expect(lower).toBeLessThanOrEqual(least);
        expect(upper).toBeGreaterThanOrEqual(largest);
        expect(lower).toBeGreaterThan(least - 5e-3);
        expect(upper).toBeLessThan(largest + 5e-3);
      }
    }
  });

  it("the whole line's slopes bound all difference quotients, and no more than they must", () => {
    const { lower, upper } = slopeBounds(act);
    expect(derivativeBounds(act, -Infinity, Infinity).lower).toBeGreaterThanOrEqual(lower);
    expect(derivativeBounds(act, -Infinity, Infinity).upper).toBeLessThanOrEqual(upper);
    expect(derivativeBounds(act, -Infinity, Infinity).lower).toBeLessThan(lower + 2e-4);
    expect(derivativeBounds(act, -Infinity, Infinity).upper).toBeGreaterThan(upper - 2e-4);
  });
});

describe("corners", () => {
  it("an interval that touches a ReLU's corner has both slopes, one beside it has one", () => {
    const relu = activation("relu");
    expect(derivativeBounds(relu, 0, 1)).toEqual({ lower: 0, upper: 1 });
    expect(derivativeBounds(relu, -1, 0)).toEqual({ lower: 0, upper: 1 });
    expect(derivativeBounds(relu, 0, 0)).toEqual({ lower: 0, upper: 1 });
    expect(derivativeBounds(relu, 1e-9, 1)).toEqual({ lower: 1, upper: 1 });
    expect(derivativeBounds(relu, -1, -1e-9)).toEqual({ lower: 0, upper: 0 });
  });

  it("far out, where formulas would be 0 times infinity, there are limits", () => {
    expect(derivativeBounds(activation("gelu"), 50, Infinity)).toEqual({ lower: 1 - 1e-14, upper: 1 + 1e-14 });
    expect(derivativeBounds(activation("silu"), -Infinity, -800).upper).toBeLessThan(1e-13);
    expect(derivativeBounds(activation("clip", { low: 0, high: Infinity }), 5, Infinity)).toEqual({
      lower: 1,
      upper: 1,
    });
  });
});

describe("activations on groups", () => {
  it.each<[Activation, number[], number[]]>([
    [{ kind: "maxmin" }, [3, 1, 2, 5], [1, 3, 2, 5]],
    [{ kind: "groupsort", groupSize: 3 }, [3, 1, 2, 6, 5, 4], [1, 2, 3, 4, 5, 6]],
    [{ kind: "fullsort" }, [3, 1, 2, 5], [1, 2, 3, 5]],
    // v = (0.6, 0.8): the second pair has v x = -1 and is reflected.
    [{ kind: "householder", v: [0.6, 0.8] }, [1, 1, 1, -2], [1, 1, 2.2, -0.4]],
    [
      {
        kind: "householder",
        v: [
          [1, 0],
          [0, 1],
        ],
      },
      [-1, 2, 3, -4],
      [1, 2, 3, 4],
    ],
  ])("%o", (act, x, expected) => {
    const values = applyActivation(act, tensor(Float64Array.from(x), { shape: [1, x.length] })).data();
    for (const [k, value] of expected.entries()) expect(values[k]).toBeCloseTo(value, 12);
  });
});

describe("bad input", () => {
  it("names and parameters that are none", () => {
    expect(() => activation("rleu" as never)).toThrow(/"rleu" is not known; did you mean "relu"\?/);
    expect(() => activation("toString" as never)).toThrow(/is not known/);
    expect(() => activation("relu", { slope: 1 })).toThrow(/"relu" has no parameter "slope"; it has none/);
    expect(() => activation("elu", { alpha: Number.NaN })).toThrow(/"alpha" of "elu" must be a number/);
    expect(() => activation("celu", { alpha: 0 })).toThrow(/alpha must be above 0/);
    expect(() => activation("clip", { low: 2, high: 1 })).toThrow(/low must be below high/);
  });

  it("activations that the question is not for", () => {
    expect(() => slopeBounds({ kind: "maxmin" })).toThrow(/acts on groups/);
    expect(() => derivativeBounds({ kind: "fullsort" }, 0, 1)).toThrow(/acts on groups/);
    expect(() => derivativeAt({ kind: "slope", alpha: 0, beta: 1 }, 0)).toThrow(/by its slopes only/);
    expect(() => derivativeBounds(activation("relu"), 1, 0)).toThrow(/is no interval/);
    expect(derivativeBounds({ kind: "slope", alpha: 0, beta: 2 }, 0, 1)).toEqual({ lower: 0, upper: 2 });
  });
});
