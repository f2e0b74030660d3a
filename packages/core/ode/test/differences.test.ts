import { type Tensor, tensor } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { columnsTogether, plainSlopes, separately } from "../src/differences.js";
import { solveSync } from "../src/index.js";
import { brusselator } from "./problems.js";

type Plain = (t: number, y: Float64Array) => ArrayLike<number>;

/** Calls of a right-hand side, and the Jacobian at a state, with and without columns together. */
function jacobians(f: Plain, near: readonly number[], at: readonly number[], t = 0) {
  let calls = 0;
  const call: Plain = (time, y) => {
    calls++;
    return f(time, y);
  };
  const params = { call, size: near.length, what: "the right-hand side" };
  const state = tensor(Float64Array.from(at), { dtype: "float64" });
  const first = tensor(Float64Array.from(f(t, Float64Array.from(at))), { dtype: "float64" });
  const rate = (_t: Tensor, _y: Tensor) => first;
  const of = (together: Tensor) => {
    calls = 0;
    const { state: matrix } = plainSlopes(params, together)(rate, tensor(t, { dtype: "float64" }), state, first);
    return { matrix: [...matrix.data()], calls };
  };
  const together = columnsTogether(params, 0, Float64Array.from(near));
  return { together: of(together), separate: of(separately()), size: together.size };
}

describe("columns of the Jacobian of a plain function", () => {
  const { plain, y0, t1, end } = brusselator;

  it("are found together where no row depends on two of them, with the same bits", () => {
    const { together, separate } = jacobians(plain as Plain, y0, end);
    expect(together.matrix).toEqual(separate.matrix);
    expect(separate.calls).toBe(40);
    expect(together.calls).toBeLessThanOrEqual(7);
  });

  it("are found one by one where rows depend on all", () => {
    const all: Plain = (_t, y) => y.map((v) => v * y.reduce((a, b) => a + b));
    expect(jacobians(all, [1, 2, 3, 4], [1, 2, 3, 4])).toMatchObject({ size: 0, together: { calls: 4 } });
  });

  it("are found one by one where a row has come to depend on more, late or by its state", () => {
    const late: Plain = (t, y) => y.map((v, i) => (t > 1 ? -v + y[(i + 4) % 9] : -v));
    const large: Plain = (_t, y) => y.map((v, i) => (y[0] > 5 ? -v + 1e-3 * y[8 - i] : -v));
    const ones = new Array<number>(9).fill(1);
    for (const { together, separate } of [
      jacobians(late, ones, ones, 2),
      jacobians(
        large,
        ones,
        ones.map((v, i) => 6 * v + i),
      ),
    ]) {
      expect(together.matrix).toEqual(separate.matrix);
      expect(together.calls).toBeGreaterThan(9);
    }
  });

  it("are found one by one where the function does not take what is tried", () => {
    const narrow: Plain = (_t, y) => {
      if (y.some((v) => v > 1 + 1e-6)) throw new RangeError("too large");
      return y.map((v) => -v);
    };
    const ones = new Array<number>(6).fill(1);
    expect(jacobians(narrow, ones, ones).size).toBe(0);
  });

  it("factors that are 0 at the beginning count", () => {
    const products: Plain = (_t, y) => y.map((v, i) => v * y[(i + 1) % 8]);
    const { together, separate } = jacobians(products, new Array<number>(8).fill(0), [1, 2, 3, 4, 5, 6, 7, 8]);
    expect(together.matrix).toEqual(separate.matrix);
    expect(together.calls).toBeLessThan(8);
  });

  it("a stiff solve takes few calls, and gives what it gives with one for each", () => {
    const counted = (f: Plain) => {
      let calls = 0;
      const solution = solveSync(
        (t: number, y: Float64Array) => {
          calls++;
          return f(t, y);
        },
        y0,
        [0, t1],
        { method: "rodas4", relativeTolerance: 1e-6, absoluteTolerance: 1e-6 },
      );
      return { solution, calls };
    };
    const few = counted(plain as Plain);
    // A right-hand side that depends on all its state as soon as anyone moves it, by nothing that counts.
    const dense = counted((t, y) => {
      const rate = Float64Array.from(plain(t, y as never));
      const mark = y.reduce((a, b) => a + b) * 1e-12;
      return rate.map((v) => v + mark);
    });
    expectClose(few.solution.end.y, dense.solution.end.y, 1e-7);
    expect(dense.calls).toBeGreaterThan(3 * few.calls);
  });
});
