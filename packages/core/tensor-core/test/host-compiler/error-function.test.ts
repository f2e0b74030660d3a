import { readFixture } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { jitSync, special, type Tensor, tensor } from "../../src/index.js";

/** Per function `[x, value, what its rounding lost]`; the arguments are numbers of float32. */
const fixtures = readFixture(import.meta.url, "../../fixtures/error_function.json") as Record<
  "erf" | "erfc",
  [number, number, number][]
>;

describe.each([
  { dtype: "float32", digits: 23, least: 2 ** -149 },
  { dtype: "float64", digits: 52, least: 2 ** -1074 },
] as const)("of vectors, $dtype", ({ dtype, digits, least }) => {
  it.each(["erf", "erfc"] as const)("%s is right to four units of the last place", (name) => {
    const rows = fixtures[name];
    const x = tensor(
      rows.map(([at]) => at),
      { dtype },
    );
    const values = jitSync((t: Tensor) => special[name](t))(x).data();
    const wrong = rows.flatMap(([at, exact, lost], i) => {
      const unit = Math.max(least, 2 ** (Math.floor(Math.log2(Math.abs(exact))) - digits));
      const error = Math.abs(values[i]! - exact - lost) / unit;
      return error <= 4 ? [] : [[at, values[i], error]];
    });
    expect(wrong).toEqual([]);
  });

  it("keep infinities, zeros and NaN, and leave nothing where the tail vanishes", () => {
    const at = (f: (t: Tensor) => Tensor, v: number) => jitSync(f)(tensor(new Array(40).fill(v), { dtype })).data();
    for (const [name, values] of [
      ["erf", [1, -1, 0, -0, Number.NaN, 1, -1]],
      ["erfc", [0, 2, 1, 1, Number.NaN, 0, 2]],
    ] as const) {
      [Infinity, -Infinity, 0, -0, Number.NaN, 1e30, -1e30].forEach((v, i) => {
        for (const y of at((t) => special[name](t), v)) expect(y).toBe(values[i]);
      });
    }
  });

  it("is the same beside elements of another size", () => {
    const alone = tensor(
      Array.from({ length: 400 }, (_, i) => Math.sin(i)),
      { dtype },
    );
    const beside = alone.data().slice();
    for (let i = 0; i < beside.length; i += 3) beside[i] = 3 + i;
    const erf = jitSync((t: Tensor) => special.erf(t));
    const [a, b] = [erf(alone).data(), erf(tensor(beside)).data()];
    expect([...b].filter((_, i) => i % 3 !== 0)).toEqual([...a].filter((_, i) => i % 3 !== 0));
  });
});

it("the exact gelu of vectors is as eager to the rounding of float32", () => {
  const x = tensor(Float32Array.from({ length: 1000 }, (_, i) => (i - 500) / 50));
  const [y, expected] = [jitSync((t: Tensor) => special.gelu(t))(x).data(), special.gelu(x).data()];
  y.forEach((v, i) => {
    expect(Math.abs(v - expected[i]!)).toBeLessThan(6e-7 * Math.abs(expected[i]!) + 1e-44);
  });
});
