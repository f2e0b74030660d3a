import { expect, it } from "vitest";
import { acos, asin, jitSync, type Tensor, tensor } from "../../src/index.js";

/** Arguments over [-1, 1], dense at its ends, at 0 and where the formulas change. */
const argumentsOf = [
  ...Array.from({ length: 8001 }, (_, i) => i / 4000 - 1),
  ...Array.from({ length: 2001 }, (_, i) => 0.5 + (i / 1000 - 1) * 1e-3),
  ...[1, -1, 0.5, -0.5].flatMap((end) => Array.from({ length: 50 }, (_, i) => end * (1 - 2 ** -(i + 3)))),
  ...Array.from({ length: 300 }, (_, i) => 10 ** -i * (i % 2 === 0 ? 1 : -1)),
];

it.each([
  { dtype: "float32", digits: 23, least: 2 ** -149 },
  { dtype: "float64", digits: 52, least: 2 ** -1074 },
] as const)(
  "asin and acos of vectors, $dtype, are right to two and a half units of the last place",
  ({ dtype, digits, least }) => {
    const x = tensor(argumentsOf, { dtype });
    for (const [f, exact] of [
      [(t: Tensor) => asin(t), Math.asin],
      [(t: Tensor) => acos(t), Math.acos],
    ] as const) {
      const values = jitSync(f)(x).data();
      x.data().forEach((v, i) => {
        const right = exact(v);
        const unit = Math.max(least, 2 ** (Math.floor(Math.log2(Math.abs(right))) - digits));
        expect(right === 0 ? values[i] : Math.abs(values[i] - right) / unit).toBeLessThan(2.5);
      });
      const outside = jitSync(f)(tensor([...new Array(20).fill(1.5), ...new Array(20).fill(Number.NaN)], { dtype }));
      expect(outside.data().every(Number.isNaN)).toBe(true);
    }
    const zeros = jitSync((t: Tensor) => asin(t))(tensor(new Array(40).fill(-0), { dtype }));
    expect(zeros.data().every((v) => Object.is(v, -0))).toBe(true);
  },
);
