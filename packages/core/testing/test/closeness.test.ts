import { tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { expectClose, f64 } from "../src/index.js";

const x = f64([
  [1, 2, 3],
  [4, 5, 600],
]);

describe("expectClose", () => {
  it("takes numbers, arrays, tensors, what is stored of them, and trees", () => {
    expectClose(1, 1, 0);
    expectClose(x, x.toArray(), 0);
    expectClose(x.data(), [1, 2, 3, 4, 5, 600], 0);
    expectClose(x, { shape: [2, 3], data: [1, 2, 3, 4, 5, 600] }, 0);
    expectClose({ a: [x, { b: 2 }], c: [] }, { a: [x.toArray(), { b: 2 }], c: [] }, 0);
    expectClose([x, f64([1])], [x, [1]], 0);
    expectClose(tensor([true, false]), [1, 0], 0);
    expectClose([Infinity, -Infinity], [Infinity, -Infinity], 0);
  });

  it("allows t max(1, |expected|) for a number t", () => {
    expectClose([0.5, 2000], [0.5009, 2001.9], 1e-3);
    expect(() => expectClose([0.5], [0.5011], 1e-3)).toThrow(/is 0.5, expected 0.5011: they differ by 0.0011/);
    expect(() => expectClose(2000, 2002.1, 1e-3)).toThrow(/allowed is 2.002/);
  });

  it("allows an absolute, a relative part, or one of the largest value", () => {
    expect(() => expectClose([1, 2000], [1, 2001], { absolute: 0.5 })).toThrow(/\[1\] is 2000/);
    expect(() => expectClose([1, 2000], [1.1, 2001], { relative: 1e-3 })).toThrow(/\[0\] is 1, expected 1.1/);
    expectClose([1, 2000], [1.1, 2001], { ofLargest: 1e-3 });
    expect(() => expectClose([1, 2000], [3.1, 2001], { ofLargest: 1e-3 })).toThrow(/\[0\]/);
  });

  it("names the place", () => {
    const other = { a: [0, { b: f64(Float64Array.of(1, 2, 3, 4, 5, 601), [2, 3]) }] };
    expect(() => expectClose({ a: [0, { b: x }] }, other, 1e-6, "weights")).toThrow(
      /^weights: a\[1\]\.b\[1, 2\] is 600, expected 601/,
    );
  });

  it("is content with no NaN, unless it is told so, and no infinity of the other sign", () => {
    expect(() => expectClose(Number.NaN, 1, 1)).toThrow(/is NaN/);
    expect(() => expectClose(1, Number.NaN, 1)).toThrow(/expected NaN/);
    expect(() => expectClose(Number.NaN, Number.NaN, 1)).toThrow(/is NaN/);
    expectClose([Number.NaN], [Number.NaN], { equalNaN: true });
    expect(() => expectClose(Infinity, -Infinity, 1)).toThrow(/is Infinity/);
    expect(() => expectClose(1, Infinity, 1)).toThrow(/expected Infinity/);
    expect(() => expectClose(Infinity, 1, 1)).toThrow(/is Infinity/);
  });

  it("compares shapes where there are some, and counts where there are not", () => {
    expect(() => expectClose(x, x.reshape([3, 2]), 0)).toThrow(/has the shape \[2,3\], expected \[3,2\]/);
    expect(() => expectClose([1, 2], [1, 2, 3], 0)).toThrow(/has the shape \[2\], expected \[3\]/);
    expect(() => expectClose([], [1], 0)).toThrow(/has the shape \[0\], expected \[1\]/);
  });

  it("compares the parts of trees", () => {
    expect(() => expectClose({ a: 1 }, { a: 1, b: 2 }, 0)).toThrow(/has the parts \.a, expected \.a, \.b/);
    expect(() => expectClose({ a: {} }, { a: 1 }, 0)).toThrow(/a is an object or array, expected 1/);
    expect(() => expectClose({ a: undefined }, { a: 1 }, 0)).toThrow(/a is undefined, expected 1/);
    expect(() => expectClose([{ a: 1 }], [{ a: 1 }, { a: 2 }], 0)).toThrow(/has the parts/);
  });
});
