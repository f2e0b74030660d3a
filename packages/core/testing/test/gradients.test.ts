import { cos, customVjp, exp, matmul, mul, sin, square, sum, type Tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  centralDifferences,
  expectClose,
  expectGradient,
  expectSecondGradient,
  expectVmap,
  inner,
  numericalGradient,
  scattered,
  slope,
  slopeAlong,
} from "../src/index.js";

/** sin with a gradient that is wrong by a thousandth. */
const wrongSine = customVjp(
  (x: Tensor) => sin(x),
  (x: Tensor) => [sin(x), x],
  (x: Tensor, g: Tensor) => [mul(mul(g, cos(x)), 1.001)],
);

describe("central differences", () => {
  it("find derivatives of functions of numbers, arrays, tensors and trees", () => {
    expect(slope((h) => Math.exp(2 * h))).toBeCloseTo(2, 8);
    expectClose(
      centralDifferences(([a, b]) => a * a * b, [3, 2]),
      [12, 9],
      1e-9,
    );
    const x = scattered([2, 3]);
    expectClose(
      numericalGradient((y) => sum(square(y)), x),
      x.mul(2),
      1e-9,
    );
    const at = { w: scattered([3]), b: [scattered([2], 2)] };
    const direction = { w: scattered([3], 3), b: [scattered([2], 4)] };
    const f = (p: typeof at) => sum(square(p.w)).add(sum(exp(p.b[0])));
    const gradient = { w: at.w.mul(2), b: [exp(at.b[0])] };
    expect(slopeAlong(f, at, direction)).toBeCloseTo(inner(gradient, direction), 8);
  });
});

/** An operation whose value depends on how often it was called. */
function customBatching(): (x: Tensor) => Tensor {
  let calls = 0;
  return (x) => sin(x).add(calls++ < 2 ? 0 : 1);
}

describe("checks of operations", () => {
  const a = scattered([2, 3]);
  const b = scattered([3, 2], 5);

  it("pass for operations that are right", () => {
    expectGradient(matmul, [a, b]);
    expectSecondGradient(matmul, [a, b]);
    expectVmap(matmul, [scattered([4, 2, 3]), scattered([4, 3, 2], 2)]);
  });

  it("name what is wrong", () => {
    expect(() => expectGradient(wrongSine, [a])).toThrow(/^gradient in argument 0: the value\[0, 0\] is/);
    const perExample = customBatching();
    expect(() => expectVmap(perExample, [scattered([2, 3])])).toThrow(/^example 1 of arguments batched as \[true\]/);
  });
});
