import { describe, expect, it } from "vitest";
import { jitSync, pow, type Tensor, tensor } from "../../src/index.js";

const special = [0, -0, 1, -1, Infinity, -Infinity, Number.NaN, 1e-30, -1e30, 2];

describe.each([
  { dtype: "float32", digits: 23, least: 2 ** -126 },
  { dtype: "float64", digits: 52, least: 2 ** -1022 },
] as const)("powers of vectors, $dtype", ({ dtype, digits, least }) => {
  it.each([-2, -1, -0.5, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 7, 0.25])(
    "to the power %d are right to three units",
    (exponent) => {
      const random = Array.from({ length: 500 }, (_, i) => Math.sin(i) * 10 ** ((i % 11) - 5));
      const x = tensor([...special, ...random], { dtype });
      const values = jitSync((t: Tensor) => pow(t, exponent))(x).data();
      const wrong = Array.from(x.data()).flatMap((v, i) => {
        const exact = v ** exponent;
        if (!Number.isFinite(exact) || exact === 0) return Object.is(values[i], exact) ? [] : [[v, values[i], exact]];
        // Beyond the range of float32 results are 0, subnormal or infinite.
        if (Math.abs(exact) < least || !Number.isFinite(dtype === "float32" ? Math.fround(exact) : exact)) return [];
        const unit = 2 ** (Math.floor(Math.log2(Math.abs(exact))) - digits);
        return Math.abs(values[i]! - exact) <= 3 * unit ? [] : [[v, values[i], exact]];
      });
      expect(wrong).toEqual([]);
    },
  );
});
