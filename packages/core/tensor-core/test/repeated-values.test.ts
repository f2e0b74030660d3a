import { describe, expect, it } from "vitest";
import { add, broadcastTo, equal, grad, jitSync, mul, pow, sum, type Tensor, tensor } from "../src/index.js";

describe("operations on a value that is repeated everywhere", () => {
  const one = tensor([[1.5]], { dtype: "float64" });
  const many = broadcastTo(one, [300, 40]);

  it("compute it once, and give the repeated result", () => {
    const result = add(mul(many, 2), many);
    expect(result.shape).toEqual([300, 40]);
    expect(result.ndarray().data.length).toBe(1);
    expect(new Set(result.data())).toEqual(new Set([4.5]));
    expect(result.data().length).toBe(12_000);
    expect(equal(many, 1.5).dtype).toBe("bool");
  });

  it("leave what has no elements without any", () => {
    const none = add(broadcastTo(one, [0, 40]), 1);
    expect(none.shape).toEqual([0, 40]);
    expect(none.data().length).toBe(0);
  });

  it("keep the exponent of a power one number in its gradient", () => {
    const x = tensor(Float64Array.from({ length: 64 }, (_, i) => 0.5 + i / 10));
    const slope = (t: Tensor) => grad((v: Tensor) => sum(pow(v, 4)))(t);
    const compiled = jitSync(slope);
    const expected = Array.from(x.data(), (v) => 4 * v ** 3);
    for (const values of [slope(x).data(), compiled(x).data()]) {
      values.forEach((v, i) => {
        expect(Math.abs(v / expected[i] - 1)).toBeLessThan(1e-14);
      });
    }
    // Neither the exponent nor the test whether it is 0 is an array of 64 elements.
    expect(String(compiled.program(x))).toContain("1072 bytes of memory");
  });
});
