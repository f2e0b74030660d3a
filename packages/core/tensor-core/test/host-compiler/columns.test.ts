import { describe, expect, it } from "vitest";
import {
  add,
  any,
  exp,
  greater,
  jitSync,
  matmul,
  max,
  mul,
  prod,
  relu,
  sum,
  type Tensor,
  tensor,
  transpose,
  where,
} from "../../src/index.js";
import { disagreement, numbers, tolerance } from "./agreement.js";

describe("reductions of the rows of a matrix", () => {
  const shapes = [
    { shape: [40, 64], axis: 0 },
    { shape: [1025, 5], axis: 0 },
    { shape: [7, 3], axis: 0 },
    { shape: [3, 30, 21], axis: 1 },
    { shape: [6, 5, 4, 17], axis: [0, 1] },
    { shape: [4, 9, 33], axis: [0, 1] },
  ];
  for (const { shape, axis } of shapes) {
    for (const dtype of ["float32", "float64", "int32"] as const) {
      it(`of ${shape.join("x")} ${dtype} over ${axis}`, () => {
        const each = (x: Tensor) => {
          const y = mul(x, add(x, 1));
          return [y, sum(y, { axis }), max(x, { axis }), sum(where(greater(x, 0), x, 0), { axis })];
        };
        expect(disagreement(each, [numbers(shape, dtype)])).toBeLessThan(tolerance(dtype));
      });
    }
  }

  it("beside reductions of columns, products and truth values", () => {
    const each = (x: Tensor) => {
      const y = exp(x);
      return [sum(y, 0), sum(y, 1), any(greater(x, 1), 0), greater(x, 1), prod(mul(x, 0.5), 0)];
    };
    for (const dtype of ["float32", "float64"] as const) {
      expect(disagreement(each, [numbers([12, 19], dtype)])).toBeLessThan(tolerance(dtype));
    }
  });

  it("keep NaN and infinities in their columns", () => {
    const x = numbers([20, 24], "float32").data().slice();
    x[3] = Number.NaN;
    x[24 * 5 + 7] = Number.POSITIVE_INFINITY;
    const sums = jitSync((t: Tensor) => sum(mul(t, 2), 0))(tensor(x, { shape: [20, 24] })).data();
    expect(sums[3]).toBeNaN();
    expect(sums[7]).toBe(Number.POSITIVE_INFINITY);
    expect(sums.filter(Number.isFinite)).toHaveLength(22);
  });
});

describe("products with few terms", () => {
  for (const terms of [1, 2, 3]) {
    for (const dtype of ["float32", "float64"] as const) {
      it(`${terms} of ${dtype}, in rows, turned, in stacks, and in what goes on with them`, () => {
        const [a, b] = [numbers([32, terms], dtype), numbers([terms, 21], dtype)];
        const [turnedA, turnedB] = [numbers([terms, 32], dtype), numbers([21, terms], dtype)];
        const [stackA, stackB] = [numbers([3, 10, terms], dtype), numbers([3, terms, 9], dtype)];
        const each = (...[p, q, r, s, t, u]: Tensor[]) => {
          const hidden = relu(add(matmul(p!, q!), q!.slice([0])));
          return [
            hidden,
            matmul(transpose(r!), transpose(s!)),
            sum(mul(matmul(p!, transpose(s!)), hidden), 0),
            matmul(t!, u!),
            matmul(matmul(p!, q!), transpose(q!)),
          ];
        };
        const inputs = [a, b, turnedA, turnedB, stackA, stackB];
        expect(disagreement(each, inputs)).toBeLessThan(tolerance(dtype));
      });
    }
  }

  it("are a part of the loop that uses them", () => {
    const layer = jitSync((x: Tensor, w: Tensor, b: Tensor) => relu(add(matmul(x, w), b)));
    const program = String(
      layer.program(numbers([32, 2], "float32"), numbers([2, 64], "float32"), numbers([64], "float32")),
    );
    expect(program).toContain("loop [32, 64], 4 at a time: mul, mul, add, add, relu");
    expect(program).not.toContain("product");
  });
});
