import { expect, it } from "vitest";
import { abs, jitSync, sigmoid, square, type Tensor, tensor } from "../../src/index.js";

/** Arguments over the whole range, dense where the result is neither 0 nor 1. */
function argumentsFor(reach: number): number[] {
  const wide = Array.from({ length: 4001 }, (_, i) => (i / 2000 - 1) * reach);
  const near = Array.from({ length: 4001 }, (_, i) => Math.sin(i) * 20);
  const tiny = Array.from({ length: 300 }, (_, i) => 10 ** -i * (i % 2 === 0 ? 1 : -1));
  return [...wide, ...near, ...tiny, 0, -0, Infinity, -Infinity];
}

/** Difference in units of the last place of the exact value. */
function units(value: number, exact: number, digits: number, least: number): number {
  const unit = Math.max(least, 2 ** (Math.floor(Math.log2(exact)) - digits));
  return exact === 0 ? value / least : Math.abs(value - exact) / unit;
}

it.each([
  { dtype: "float32", reach: 110, digits: 23, least: 2 ** -149 },
  { dtype: "float64", reach: 760, digits: 52, least: 2 ** -1074 },
] as const)("sigmoids of vectors, $dtype, are right to some units of the last place", (type) => {
  const { dtype, reach, digits, least } = type;
  const x = tensor(argumentsFor(reach), { dtype });
  const exact = (v: number) => {
    const e = Math.exp(-Math.abs(v));
    return (v >= 0 ? 1 : e) / (1 + e);
  };
  for (const [f, inner] of [
    [(t: Tensor) => sigmoid(t), (v: number) => v],
    // Operands that are never negative have code of their own.
    [(t: Tensor) => sigmoid(abs(t)), Math.abs],
    [(t: Tensor) => sigmoid(square(t)), (v: number) => (dtype === "float32" ? Math.fround(v * v) : v * v)],
  ] as const) {
    const values = jitSync(f)(x).data();
    const errors = Array.from(x.data(), (v, i) => units(values[i], exact(inner(v)), digits, least));
    expect(Math.max(...errors)).toBeLessThan(2.5);
    expect(
      jitSync(f)(tensor(new Array(40).fill(Number.NaN), { dtype }))
        .data()
        .every(Number.isNaN),
    ).toBe(true);
  }
});
