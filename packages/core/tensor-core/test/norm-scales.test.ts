import { expectClose, f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  grad,
  hessian,
  jitSync,
  linalg,
  mul,
  random,
  sqrt,
  square,
  sum,
  type Tensor,
  tensor,
  vmap,
  zeros,
} from "../src/index.js";

const length = (x: Tensor) => linalg.norm(x);
const lengths = (x: Tensor) => linalg.norm(x, { axis: 1 });
const scales = [1e-310, 1e-200, 1e-150, 1, 1e150, 1e200, 1e307];

describe("linalg.norm at any scale", () => {
  it("is the root of the sum of squares, bit for bit where these are ordinary", () => {
    const x = random.rng(1).normal([30, 4], { dtype: "float64" });
    expect(length(x).item()).toBe(sqrt(sum(square(x))).item());
    expect(lengths(x).data()).toEqual(sqrt(sum(square(x), 1)).data());
  });

  for (const [way, compiled] of [
    ["eager", <A extends Tensor[]>(f: (...args: A) => Tensor) => f],
    ["compiled", <A extends Tensor[]>(f: (...args: A) => Tensor) => jitSync(f)],
  ] as const) {
    it(`scales with its argument, and its gradient is the direction: ${way}`, () => {
      for (const unit of scales) {
        const x = f64([3 * unit, -4 * unit]);
        expectClose(compiled(length)(x).item() / unit, 5, 1e-12);
        expectClose(compiled(grad(length))(x), [0.6, -0.8], 1e-12);
        const rows = f64([
          [3 * unit, -4 * unit],
          [0, 0],
          [3, 4],
        ]);
        expectClose(compiled(lengths)(rows), [5 * unit, 0, 5], 1e-12 * Math.max(unit, 1));
        const directions = [
          [0.6, -0.8],
          [0, 0],
          [0.6, 0.8],
        ];
        expectClose(compiled(grad((r: Tensor) => sum(lengths(r))))(rows), directions, 1e-12);
        expectClose(compiled(vmap(grad(length)))(rows), directions, 1e-12);
        for (const p of [3, 0.5, -2]) {
          const powers = (v: Tensor) => linalg.norm(v, { ord: p });
          const factor = linalg.norm(f64([3, -4]), { ord: p }).item();
          if (unit * factor < Number.MAX_VALUE) expectClose(compiled(powers)(x).item() / unit, factor, 1e-12 * factor);
          expectClose(compiled(grad(powers))(x), grad(powers)(f64([3, -4])), 1e-11);
        }
      }
      for (const unit of [1e-30, 1e30]) {
        const x = tensor([3 * unit, 4 * unit], { dtype: "float32" });
        expectClose(compiled(length)(x).item() / unit, 5, 1e-5);
        expectClose(compiled(grad(length))(x), [0.6, 0.8], 1e-6);
      }
      expectClose(compiled(mulHessian)(f64([3e-100, 4e-100]), f64(1e-100)), mulHessian(f64([3, 4]), f64(1)), 1e-12);
    });
  }

  it("is 0 at 0 with a gradient and second derivatives of 0, and of no elements", () => {
    const zero = zeros([2], "float64");
    expect(length(zero).item()).toBe(0);
    expect(grad(length)(zero).toArray()).toEqual([0, 0]);
    expect(hessian(length)(zero).toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(length(zeros([0])).item()).toBe(0);
    expect(lengths(zeros([0, 3])).shape).toEqual([0]);
    expect(lengths(zeros([2, 0])).toArray()).toEqual([0, 0]);
    expect(linalg.norm(zeros([2, 0]), { axis: 1, ord: 3 }).toArray()).toEqual([0, 0]);
  });

  it("is not finite where an element is not", () => {
    const { POSITIVE_INFINITY: infinity, NaN: none } = Number;
    for (const ord of [2, 3]) {
      expect(linalg.norm(f64([1, infinity]), { ord }).item()).toBe(infinity);
      expect(linalg.norm(f64([1, none]), { ord }).item()).toBeNaN();
    }
    expect(length(f64([1e308, 1e308, 1e308, 1e308])).item()).toBe(infinity);
  });
});

function mulHessian(x: Tensor, unit: Tensor): Tensor {
  return mul(hessian(length)(x), unit);
}
