import { add, grad, mul, sin, square, sum, type Tensor, vmap } from "@offprint/tensor-core";
import { centralDifferences, errorLike, expectClose, f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { type IntegrateOptions, integrate } from "../src/index.js";

const rate = (t: Tensor, y: Tensor, k: Tensor) => mul(sin(add(y, t)), k);
const starts = f64([1, 2, 3], [3, 1]);
const factors = f64([-1, 0.5, 10]);
const one = (rows: Tensor, i: number) => rows.slice([i]);
const apart = (f: (...rows: Tensor[]) => Tensor, ...inputs: Tensor[]) =>
  [0, 1, 2].flatMap((i) => Array.from(f(...inputs.map((x) => one(x, i))).data()));

describe("many solves at once by vmap", () => {
  for (const method of ["tsit5", "rodas4"] as const) {
    it(`${method}: each takes its own steps`, () => {
      const solve = (y: Tensor, k: Tensor) => integrate(rate, y, [0, 1], { method, parameters: k }).y;
      expectClose(vmap(solve)(starts, factors), apart(solve, starts, factors), 1e-15);
    });
  }

  const gradients: readonly IntegrateOptions[] = [
    { method: "tsit5", adjoint: "discrete" },
    { method: "tsit5", adjoint: "interpolating", checkpointEvery: 4 },
    { method: "tsit5", adjoint: "backsolve" },
    { method: "tsit5", adjoint: "forward" },
    { method: "rodas4", adjoint: "discrete", checkpointEvery: 3 },
  ];
  for (const options of gradients) {
    it(`gradients: ${Object.values(options).join(", ")}`, () => {
      const slope = grad((k: Tensor, y: Tensor, saveAt: Tensor) => {
        const loose = { relativeTolerance: 1e-3, absoluteTolerance: 1e-3 };
        const { y: end, ys } = integrate(rate, y, [0, 1], { ...options, ...loose, parameters: k, saveAt });
        return add(sum(end), sum(square(ys)));
      }) as (...inputs: Tensor[]) => Tensor;
      const saves = f64([0, 0.5, 0.3, 0.4, 1, 1], [3, 2]);
      expectClose(vmap(slope)(factors, starts, saves), apart(slope, factors, starts, saves), 1e-11);
    });
  }

  it("over spans of their own, an empty one among them", () => {
    const solve = (end: Tensor) => integrate((_t, y: Tensor) => mul(y, -1), f64([1]), [0, end]).y;
    expectClose(vmap(solve)(f64([0, 0.5, -1])), [1, Math.exp(-0.5), Math.E], 1e-6);
  });
});

describe("a solve's stops and saved times", () => {
  it("stops in any order are met in theirs", () => {
    const jump = (t: Tensor, y: Tensor) => add(mul(y, 0), mul(t, 1));
    for (const [span, value] of [
      [[0, 1], 0.5],
      [[1, 0], -0.5],
    ] as const) {
      const { y, stepTimes } = integrate(jump, f64([0]), span, { stopAt: [0.7, 0.3, 1, 0] });
      expectClose(y, [value], 1e-12);
      expect(Array.from(stepTimes.data())).toEqual(expect.arrayContaining([0.3, 0.7]));
    }
    expect(() => integrate(jump, f64([0]), [0, 1], { stopAt: [2] })).toThrow(
      errorLike("ValueError", /^integrate: stopAt holds 2, outside the span from 0 to 1/),
    );
  });

  it("gradients through the sizes of steps know where in a step a saved time lies", () => {
    for (const saveAt of [[0.3, 0.4], [0, 0.5], [1]]) {
      const loss = (k: Tensor) => {
        const options = { parameters: k, saveAt, stepGradient: "through", relativeTolerance: 1e-4 } as const;
        return sum(square(integrate(rate, f64([1]), [0, 1], options).ys));
      };
      const value = (v: ArrayLike<number>) => loss(f64([v[0]]).reshape([])).item();
      const differences = centralDifferences(value, [-1], { step: 1e-6 });
      expectClose([grad(loss)(f64([-1]).reshape([])).item()], differences, 1e-6);
    }
  });
});
