import { describe, expect, it } from "vitest";
import {
  add,
  cast,
  exp,
  flip,
  greater,
  jitSync,
  mul,
  slice,
  sub,
  sum,
  type Tensor,
  transpose,
  where,
} from "../../src/index.js";
import { disagreement, numbers, tolerance } from "./agreement.js";

const column = (v: Tensor, j: number) => slice(v, [null, j]);
const sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 31, 67];

describe("elements that lie apart", () => {
  for (const dtype of ["float32", "float64", "int32"] as const) {
    const math = (x: Tensor) => (dtype === "int32" ? mul(x, x) : exp(x));

    it(`of columns, at all lengths: ${dtype}`, () => {
      const each = (v: Tensor) => {
        const [x, y] = [column(v, 0), column(v, 2)];
        const z = add(math(x), mul(y, y));
        return [z, sum(z), where(greater(x, y), z, x), greater(x, y)];
      };
      for (const n of sizes) expect(disagreement(each, [numbers([n, 3], dtype)])).toBeLessThan(tolerance(dtype));
    });

    it(`of transposed matrices beside whole ones: ${dtype}`, () => {
      const each = (x: Tensor, y: Tensor) => {
        const z = sub(math(transpose(y)), x);
        return [z, sum(z, 0), sum(z, 1), add(z, slice(x, [null, { start: 0, stop: 1 }]))];
      };
      for (const n of sizes) {
        const given = [numbers([n, 5], dtype), numbers([5, n], dtype)];
        expect(disagreement(each, given)).toBeLessThan(tolerance(dtype));
      }
    });

    it(`in steps, forwards and backwards, with truth values among them: ${dtype}`, () => {
      const each = (x: Tensor) => {
        const second = slice(x, [{ step: 2 }]);
        const chosen = greater(slice(x, [{ step: 3 }]), 0);
        const thirds = slice(x, [{ step: 3 }]);
        return [math(second), add(second, flip(second)), where(chosen, math(thirds), cast(chosen, dtype))];
      };
      for (const n of sizes) expect(disagreement(each, [numbers([n], dtype)])).toBeLessThan(tolerance(dtype));
    });
  }

  it("are computed in vectors, where something is computed of them", () => {
    const f = jitSync((v: Tensor) => exp(add(column(v, 0), column(v, 1))));
    expect(String(f.program(numbers([40, 2], "float64")))).toContain("loop [40], 2 at a time: add, exp");
    expect(String(f.program(numbers([40, 2], "float32")))).toContain("loop [40], 4 at a time: add, exp");
  });
});
