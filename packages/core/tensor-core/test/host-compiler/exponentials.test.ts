import { describe, expect, it } from "vitest";
import { abs, expm1, jitSync, neg, sigmoid, special, square, type Tensor, tanh, tensor } from "../../src/index.js";
import { exponential, fractions, unitsFrom } from "./exact-exponential.js";

/** Arguments over the whole range, dense where results are neither 0 nor at their limit, and near 0. */
function argumentsFor(reach: number): number[] {
  const wide = Array.from({ length: 801 }, (_, i) => (i / 400 - 1) * reach);
  const near = Array.from({ length: 1200 }, (_, i) => Math.sin(i) * 20);
  const small = Array.from({ length: 1200 }, (_, i) => Math.sin(i));
  const tiny = Array.from({ length: 120 }, (_, i) => 10 ** (-i / 4) * (i % 2 === 0 ? 1 : -1));
  return [...wide, ...near, ...small, ...tiny].filter((x) => x !== 0);
}

const functions = [
  { name: "tanh", f: tanh, of: fractions.tanh, inner: (v: number) => v },
  { name: "expm1", f: expm1, of: fractions.expm1, inner: (v: number) => v },
  { name: "sigmoid", f: sigmoid, of: fractions.sigmoid, inner: (v: number) => v },
  { name: "softplus", f: special.softplus, of: fractions.softplus, inner: (v: number) => v },
  {
    name: "logAddExp of a number below 0 and 0",
    f: (t: Tensor) => special.logAddExp(neg(abs(t)), 0),
    of: fractions.softplus,
    inner: (v: number) => -Math.abs(v),
  },
  // Operands that are never negative have code of their own.
  { name: "sigmoid of abs", f: (t: Tensor) => sigmoid(abs(t)), of: fractions.sigmoid, inner: Math.abs },
  {
    name: "sigmoid of square",
    f: (t: Tensor) => sigmoid(square(t)),
    of: fractions.sigmoid,
    inner: (v: number) => v * v,
  },
] as const;

describe.each([
  { dtype: "float32", reach: 110, digits: 23, least: 2 ** -149, round: Math.fround },
  { dtype: "float64", reach: 760, digits: 52, least: 2 ** -1074, round: (v: number) => v },
] as const)("of vectors, $dtype", ({ dtype, reach, digits, least, round }) => {
  const x = tensor(argumentsFor(reach), { dtype });

  it.each(functions)("$name is right to two and a half units of the last place", ({ f, of, inner }) => {
    const values = jitSync((t: Tensor) => f(t))(x).data();
    const known = new Map<number, bigint>();
    const wrong: [number, number, number][] = [];
    x.data().forEach((v, i) => {
      // Beyond this all three are 1 or infinite.
      const argument = Math.min(round(inner(v)), 800);
      const e = known.get(argument) ?? exponential(argument);
      known.set(argument, e);
      const error = Number.isFinite(values[i]) ? Math.abs(unitsFrom(values[i], of(e), digits, least)) : 0;
      if (error > 2.5 || (values[i] === Infinity && argument < (dtype === "float32" ? 88.7 : 709.7))) {
        wrong.push([v, values[i], error]);
      }
    });
    expect(wrong).toEqual([]);
  });

  it("keep infinities, zeros and NaN", () => {
    const at = (f: (t: Tensor) => Tensor, v: number) => jitSync(f)(tensor(new Array(40).fill(v), { dtype })).data();
    for (const [f, values] of [
      [tanh, [1, -1, 0, -0, Number.NaN]],
      [expm1, [Infinity, -1, 0, -0, Number.NaN]],
      [sigmoid, [1, 0, 0.5, 0.5, Number.NaN]],
      [special.softplus, [Infinity, 0, Math.LN2, Math.LN2, Number.NaN].map(round)],
      [(t: Tensor) => special.logAddExp(t, t), [Infinity, -Infinity, Math.LN2, Math.LN2, Number.NaN].map(round)],
      [(t: Tensor) => special.logAddExp(0, t), [Infinity, 0, Math.LN2, Math.LN2, Number.NaN].map(round)],
    ] as const) {
      [Infinity, -Infinity, 0, -0, Number.NaN].forEach((v, i) => {
        for (const y of at((t) => f(t), v)) expect(y).toBe(values[i]);
      });
    }
  });
});
