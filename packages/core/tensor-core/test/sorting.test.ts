import { expectClose, expectGradient, expectSecondGradient, expectVmap, f64, scattered } from "@offprint/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  argsort,
  cast,
  type DType,
  grad,
  greater,
  IndexError,
  jit,
  median,
  mul,
  quantile,
  random,
  ShapeError,
  searchSorted,
  sort,
  sum,
  type Tensor,
  takeAlongAxis,
  tensor,
  topK,
  ValueError,
  vmap,
  where,
} from "../src/index.js";
import { fixture, listed } from "./array-ops-fixture.js";

const number = (v: number | string) => (v === "inf" ? Infinity : v === "-inf" ? -Infinity : Number(v));

/** The order by definition: a comparison sort, stable, NaN last. */
function referenceOrder(values: readonly number[], largest: boolean): number[] {
  const isNan = Number.isNaN;
  return values
    .map((_, i) => i)
    .sort((a, b) => {
      const [x, y] = [values[a], values[b]];
      if (isNan(x) || isNan(y)) return Number(isNan(x)) - Number(isNan(y));
      if (x === y) return 0;
      return (x < y ? -1 : 1) * (largest ? -1 : 1);
    });
}

const entries = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, 0, 1e-310, -1e-310, 2147483647, -2147483648),
  fc.double({ noNaN: false }),
);

describe("argsort", () => {
  it("is the stable order with NaN last, whichever method the length calls for", () => {
    fc.assert(
      fc.property(
        fc.array(entries, { maxLength: 40 }),
        fc.constantFrom<DType>("float32", "float64", "int32"),
        fc.boolean(),
        fc.constantFrom(1, 60),
        (values, dtype, descending, repeats) => {
          // The long form of the list goes through the radix order.
          const long = Array.from({ length: repeats }, () => values).flat();
          const x = tensor(Float64Array.from(long)).cast(dtype);
          expect(argsort(x, { descending }).toArray()).toEqual(referenceOrder(Array.from(x.data()), descending));
        },
      ),
      { numRuns: 150, seed: 4 },
    );
  });

  it("equals NumPy", () => {
    const x = f64(fixture.sort.values.map((row: (number | string)[]) => row.map(number)));
    expect(argsort(x).toArray()).toEqual(fixture.sort.argsort);
    expect(argsort(x, { axis: 0 }).toArray()).toEqual(fixture.sort.argsort0);
    expect(argsort(f64(fixture.sort.coarse)).toArray()).toEqual(fixture.sort.argsortCoarse);
    expect(argsort(f64([1, NaN, -1, Infinity, NaN, -Infinity])).toArray()).toEqual(fixture.sort.withNan);
  });

  it("takes empty axes, single values and booleans", () => {
    expect(argsort(tensor(new Float64Array(0))).shape).toEqual([0]);
    expect(argsort([5]).toArray()).toEqual([0]);
    expect(argsort([true, false, true]).toArray()).toEqual([1, 0, 2]);
    expect(() => argsort(3)).toThrow(IndexError);
  });
});

describe("topK", () => {
  it("is the head of the sorted order, for every k", () => {
    fc.assert(
      fc.property(
        fc.array(entries, { minLength: 1, maxLength: 60 }),
        fc.boolean(),
        fc.nat(60),
        (values, largest, n) => {
          const k = n % (values.length + 1);
          const { values: top, indices } = topK(f64(values), k, { largest });
          const order = referenceOrder(values, largest).slice(0, k);
          expect(indices.toArray()).toEqual(order);
          expect(Array.from(top.data())).toEqual(order.map((i) => values[i]));
        },
      ),
      { numRuns: 150, seed: 5 },
    );
  });
  it("selects from long lines along any axis", () => {
    const x = scattered([3, 500, 2]);
    const { values } = topK(x, 7, { axis: 1 });
    expectClose(values, sort(x, { axis: 1, descending: true }).slice([null, { stop: 7 }]));
  });
  it("names what is wrong with k", () => {
    expect(() => topK([1, 2], 3)).toThrow(ShapeError);
    expect(() => topK([1, 2], -1)).toThrow(ValueError);
    expect(() => topK([1, 2], 1.5)).toThrow(ValueError);
  });
  it("runs compiled and batched", async () => {
    const x = scattered([3, 5]);
    const f = (t: Tensor) => topK(t, 2).values;
    expectClose(await jit(f)(x), f(x));
    expectVmap(f, [x]);
    expectClose(vmap(f)(x), f(x));
  });
});

describe("sort", () => {
  it("puts long lines of any type in order, NaN last, -0 before 0", () => {
    const special = [Number.NaN, Infinity, -Infinity, -0, 0, 1e-310, -1e-310, 2147483647, -2147483648];
    const values = Array.from({ length: 9000 }, (_, i) => (i % 7 === 0 ? special[i % 9] : 1e6 * Math.sin(i * i)));
    for (const dtype of ["float32", "float64", "int32", "bool"] as const) {
      const x = tensor(Float64Array.from(values)).cast(dtype);
      const numbers = Array.from(x.data()).filter((v) => !Number.isNaN(v));
      numbers.sort((a, b) => a - b || Number(Object.is(b, -0)) - Number(Object.is(a, -0)));
      const missing = new Array(values.length - numbers.length).fill(Number.NaN);
      expect([...sort(x).data()]).toEqual([...numbers, ...missing]);
      expect([...sort(x, { descending: true }).data()]).toEqual([...numbers.reverse(), ...missing]);
    }
  });
  it("has gradients that go back to where values came from", () => {
    expectGradient((x) => sort(x, { axis: 0 }), [scattered([4, 3])]);
    expectGradient((x) => sort(x, { descending: true }), [scattered([2, 5])]);
    expectSecondGradient((x) => topK(x, 3).values, [scattered([6])]);
    expect(grad((x: Tensor) => sum(topK(x, 1).values))(f64([1, 3, 3])).toArray()).toEqual([0, 1, 0]);
  });
});

describe("quantile and median", () => {
  const coarse = f64(fixture.sort.coarse);
  it("equal NumPy", () => {
    expectClose(quantile(coarse, [0, 0.1, 0.5, 0.77, 1], { axis: 1 }), listed(fixture.sort.quantiles));
    expect(median(scattered([3, 4])).item()).toBeCloseTo(fixture.sort.median, 14);
  });
  it("keep reduced axes, take several, and pass NaN on", () => {
    expect(quantile(scattered([2, 3, 4]), 0.3, { axis: [0, 2], keepDims: true }).shape).toEqual([1, 3, 1]);
    expect(quantile(scattered([2, 3, 4]), [0.3, 0.4], { axis: 1 }).shape).toEqual([2, 2, 4]);
    expect(
      median(
        f64([
          [1, NaN],
          [3, 5],
        ]),
        { axis: 1 },
      ).toArray(),
    ).toEqual([NaN, 4]);
    expect(median(f64([1, 2, Infinity])).item()).toBe(2);
    expect(median([7]).item()).toBe(7);
  });
  it("have gradients", () => {
    expectGradient((x) => median(x, { axis: 0 }), [scattered([4, 3])]);
    expectGradient((x) => quantile(x, [0.2, 0.65]), [scattered([7])]);
    expectVmap((x) => quantile(x, 0.4), [scattered([3, 5])]);
  });
  it("reject fractions outside [0, 1] and empty data", () => {
    expect(() => quantile([1], 1.2)).toThrow(ValueError);
    expect(() => quantile([1], Number.NaN)).toThrow(ValueError);
    expect(() => median(tensor(new Float64Array(0)))).toThrow(ShapeError);
  });
});

describe("searchSorted", () => {
  it("equals NumPy on both sides", () => {
    const sorted = [-3, -1, -1, 0, 2];
    const values = f64(fixture.sort.coarse[0]);
    expect(searchSorted(sorted, values).toArray()).toEqual(fixture.sort.searchLeft);
    expect(searchSorted(sorted, values, { side: "right" }).toArray()).toEqual(fixture.sort.searchRight);
  });
  it("finds places in lists of every length", () => {
    for (let n = 0; n < 20; n++) {
      const sorted = f64(Float64Array.from({ length: n }, (_, i) => i));
      const expected = Array.from({ length: n + 2 }, (_, i) => Math.min(i, n));
      expect(searchSorted(sorted, f64(Float64Array.from(expected, (_, i) => i - 0.5))).toArray()).toEqual(expected);
    }
    expect(() => searchSorted([[1]], 1)).toThrow(ShapeError);
  });
  it("runs batched", () => {
    expectVmap((s, v) => searchSorted(s, v), [sort(scattered([3, 6])), scattered([3, 4], 2)]);
  });
});

describe("methods", () => {
  it("are the functions with the tensor in front", () => {
    const x = f64([
      [3, 1],
      [2, 4],
    ]);
    expect(x.sort({ axis: 0 }).toArray()).toEqual([
      [2, 1],
      [3, 4],
    ]);
    expect(x.argsort().toArray()).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(x.topK(1).values.toArray()).toEqual([[3], [4]]);
    expect(x.take([1]).tril().dot(x.diagonal()).toArray()).toEqual([6]);
    expect(x.median().item()).toBe(2.5);
    expect(
      x
        .cumProd(0)
        .triu()
        .takeAlongAxis([[1], [0]])
        .toArray(),
    ).toEqual([[1], [0]]);
  });
});

describe("sort without a gradient", () => {
  it("gives what argsort names, along every axis, in both directions, NaN last", () => {
    const x = random.rng(5).normal([3, 4, 5], { dtype: "float64" });
    const holed = where(greater(x, 1), Number.NaN, x);
    for (const axis of [0, 1, 2]) {
      for (const descending of [false, true]) {
        for (const t of [x, holed, cast(mul(x, 9), "int32"), cast(x, "float32")]) {
          const named = takeAlongAxis(t, argsort(t, { axis, descending }), axis);
          expect(sort(t, { axis, descending }).data()).toEqual(named.data());
        }
      }
    }
  });
});
