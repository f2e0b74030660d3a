import { expect, it } from "vitest";
import { binary, dot, type MapName, map, maxAxis, minAxis, setKernels, sum, sumAxis } from "../src/kernels/index.js";
import { arrayTypes, randomArray, sizes, withBoth } from "./kernels-inputs.js";

const references: Record<MapName, (x: number) => number> = {
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  tanh: Math.tanh,
  sigmoid: (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  sin: Math.sin,
  cos: Math.cos,
  sqrt: Math.sqrt,
};
const names = Object.keys(references) as MapName[];

const special = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  5e-324,
  -5e-324,
  1e-310,
  -1e-310,
  2.2250738585072014e-308,
  1e-300,
  1e300,
  -1e300,
  709.7,
  709.8,
  -708.4,
  -745.1,
  -745.2,
  88.7,
  88.8,
  -87.3,
  -103.9,
  -104,
  1e-8,
  -1e-8,
  36.7,
  5.9,
  6.1,
  1e-45,
  1e-40,
  3e38,
  2 ** 20,
  2 ** 20 + 1,
  1e10,
  Math.PI,
  -Math.PI,
  4097,
];

/** Distance in units in the last place of the element type, 0 for equal, NaN and signed zeros included. */
function ulps(actual: number, expected: number, single: boolean): number {
  const rounded = single ? Math.fround(expected) : expected;
  if (Object.is(actual, rounded)) return 0;
  if (!Number.isFinite(actual) || !Number.isFinite(rounded)) return Number.POSITIVE_INFINITY;
  if (actual === 0 && rounded === 0) return Number.POSITIVE_INFINITY;
  const exponent = Math.max(single ? -126 : -1022, Math.floor(Math.log2(Math.abs(rounded))));
  return Math.abs(actual - expected) / 2 ** (exponent - (single ? 23 : 52));
}

/** Whether the smallest normal exponential or so is near: there the reference itself rounds twice. */
const limits: Record<MapName, number> = {
  exp: 2,
  expm1: 3.5,
  log: 2,
  log1p: 3,
  tanh: 3.5,
  sigmoid: 3.5,
  sin: 3,
  cos: 3,
  sqrt: 0.5,
};

withBoth((mode) => {
  for (const ArrayType of arrayTypes) {
    const single = ArrayType === Float32Array;
    for (const name of names) {
      it(`${name} of ${ArrayType.name} at special values is within ${limits[name]} ulp`, () => {
        setKernels(mode);
        const x = new ArrayType(special);
        const y = new ArrayType(x.length);
        map(name, x, y);
        for (const [i, value] of x.entries()) {
          expect(ulps(y[i]!, references[name](value), single), `${name}(${value}) = ${y[i]}`).toBeLessThanOrEqual(
            limits[name],
          );
        }
        // The same values one at a time: neighbours decide which path is taken, not what comes out.
        for (const value of x) {
          const one = new ArrayType([value]);
          map(name, one, one);
          expect(ulps(one[0]!, references[name](value), single), `${name}(${value}) alone`).toBeLessThanOrEqual(
            limits[name],
          );
        }
      });

      it(`${name} of ${ArrayType.name} over its range is within ${limits[name]} ulp`, () => {
        setKernels(mode);
        const spread = randomArray(3, 20011).map((u, i) => {
          const scale = [1e-6, 0.01, 1, 10, single ? 88 : 700][i % 5]!;
          const value = u * scale;
          if (name === "log" || name === "sqrt") return i % 2 ? Math.exp(value) : Math.abs(value);
          if (name === "log1p") return Math.max(value, -0.999);
          return value;
        });
        const x = new ArrayType(spread);
        const y = new ArrayType(x.length);
        map(name, x, y);
        let worst = 0;
        for (const [i, value] of x.entries()) worst = Math.max(worst, ulps(y[i]!, references[name](value), single));
        expect(worst).toBeLessThanOrEqual(limits[name]);
      });
    }

    it(`maps work in place and on every length (${ArrayType.name})`, () => {
      setKernels(mode);
      for (const size of [...sizes, 4095, 4096, 4097, 8193]) {
        const x = new ArrayType(randomArray(size + 1, size));
        const expected = Array.from(x, Math.exp);
        map("exp", x, x);
        for (let i = 0; i < size; i++) expect(ulps(x[i]!, expected[i]!, single)).toBeLessThanOrEqual(2);
      }
    });

    it(`arithmetic of ${ArrayType.name} is that of the language, to the last bit`, () => {
      setKernels(mode);
      for (const size of [...sizes, 300, 4097, 8200]) {
        const a = new ArrayType(randomArray(size + 1, size)).map((x, i) =>
          i % 7 === 3 ? special[i % special.length]! : x,
        );
        const b = new ArrayType(randomArray(size + 2, size)).map((x, i) =>
          i % 5 === 2 ? special[i % special.length]! : x,
        );
        const out = new ArrayType(size);
        for (const [name, op] of [
          ["add", (x: number, y: number) => x + y],
          ["subtract", (x: number, y: number) => x - y],
          ["multiply", (x: number, y: number) => x * y],
          ["divide", (x: number, y: number) => x / y],
        ] as const) {
          binary(name, a, b, out);
          expect(out).toEqual(new ArrayType(Array.from(a, (x, i) => op(x, b[i]!))));
          binary(name, a, 0.75, out);
          expect(out).toEqual(new ArrayType(Array.from(a, (x) => op(x, 0.75))));
          binary(name, 0.75, b, out);
          expect(out).toEqual(new ArrayType(Array.from(b, (y) => op(0.75, y))));
        }
        const inPlace = a.slice();
        binary("multiply", inPlace, inPlace, inPlace);
        expect(inPlace).toEqual(new ArrayType(Array.from(a, (x) => x * x)));
      }
    });

    it(`sums of ${ArrayType.name} lose nothing to their length`, () => {
      setKernels(mode);
      const size = 200_001;
      const x = new ArrayType(size).fill(0.1);
      const exact = x[0]! * size;
      expect(Math.abs(sum(x) - exact) / exact).toBeLessThan(1e-13);
      expect(sum(x, 5, 5)).toBe(0);
      expect(sum(x, 7, 1000)).toBeCloseTo(x[0]! * 993, 9);
      for (const n of sizes) {
        const y = new ArrayType(randomArray(n, n));
        expect(sum(y)).toBeCloseTo(
          Array.from(y).reduce((s, v) => s + v, 0),
          12,
        );
      }
    });
  }

  it("axis reductions agree with the plain loops", () => {
    setKernels(mode);
    const [outer, n, inner] = [3, 130, 4];
    const x = randomArray(9, outer * n * inner);
    for (const [reduce, plain] of [
      [sumAxis, (values: number[]) => values.reduce((s, v) => s + v, 0)],
      [maxAxis, (values: number[]) => Math.max(...values)],
      [minAxis, (values: number[]) => Math.min(...values)],
    ] as const) {
      const out = new Float64Array(outer * inner);
      reduce(x, outer, n, inner, out);
      for (let o = 0; o < outer; o++) {
        for (let j = 0; j < inner; j++) {
          const values = Array.from({ length: n }, (_, i) => x[(o * n + i) * inner + j]!);
          expect(out[o * inner + j]).toBeCloseTo(plain(values), 12);
        }
      }
    }
    const withNaN = Float64Array.of(1, Number.NaN, 5, 2);
    const out = new Float64Array(1);
    maxAxis(withNaN, 1, 4, 1, out);
    expect(out[0]).toBeNaN();
    minAxis(withNaN, 1, 4, 1, out);
    expect(out[0]).toBeNaN();
    sumAxis(withNaN, 1, 4, 1, out);
    expect(out[0]).toBeNaN();
    expect(dot(3, Float64Array.of(9, 1, 2, 3), 1, Float64Array.of(4, 5, 6), 0)).toBe(32);
  });
});
