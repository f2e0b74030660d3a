import { expectClose, expectGradient, expectSecondGradient, expectVmap, f64, scattered } from "@offprint/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  arange,
  at,
  DTypeError,
  grad,
  IndexError,
  jit,
  oneHot,
  ShapeError,
  scatterAdd,
  scatterAddAlongAxis,
  scatterProduct,
  scatterSet,
  segmentMax,
  segmentMean,
  segmentMin,
  segmentSoftmax,
  segmentSum,
  sum,
  type Tensor,
  take,
  takeAlongAxis,
  tensor,
  ValueError,
  vmap,
  zeros,
} from "../src/index.js";
import { fixture, listed } from "./array-ops-fixture.js";

const int = (x: any, shape?: readonly number[]) => tensor(x, { dtype: "int32", ...(shape && { shape }) });

/** Element of a tensor by coordinates, the slow way. */
function element(x: Tensor, index: readonly number[]): number {
  let place = 0;
  index.forEach((i, axis) => {
    place = place * x.shape[axis] + i;
  });
  return x.data()[place];
}

function coordinates(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (list, n) => list.flatMap((head) => Array.from({ length: n }, (_, i) => [...head, i])),
    [[]],
  );
}

/** A shape, an axis of it with at least one entry, and a seed. */
const problems = fc
  .array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })
  .chain((shape) => fc.record({ shape: fc.constant(shape), axis: fc.nat(shape.length - 1), seed: fc.nat(1000) }));

function randomIndices(shape: readonly number[], extent: number, seed: number, negative = true): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Int32Array.from({ length: size }, (_, i) => {
    const k = Math.floor(Math.abs(Math.sin(seed + 3.7 * i)) * extent) % extent;
    return negative && i % 3 === 1 ? k - extent : k;
  });
  return int(values, shape);
}

const wrap = (i: number, n: number) => (i < 0 ? i + n : i);

describe("take", () => {
  it("puts the indexed entries in the place of the axis", () => {
    fc.assert(
      fc.property(problems, fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }), ({ shape, axis, seed }, of) => {
        const x = scattered(shape, seed);
        const indices = randomIndices(of, shape[axis], seed);
        const y = take(x, indices, { axis: axis - shape.length });
        expect(y.shape).toEqual([...shape.slice(0, axis), ...of, ...shape.slice(axis + 1)]);
        for (const c of coordinates(y.shape)) {
          const i = element(indices, c.slice(axis, axis + of.length));
          const from = [...c.slice(0, axis), wrap(i, shape[axis]), ...c.slice(axis + of.length)];
          expect(element(y, c)).toBe(element(x, from));
        }
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it("takes rows of an embedding, of long and short rows alike", () => {
    for (const width of [1, 3, 100]) {
      const table = scattered([5, width]);
      const rows = take(table, [
        [4, -5],
        [2, 2],
      ]);
      expect(rows.shape).toEqual([2, 2, width]);
      expectClose(rows.slice([0, 1]), table.slice([0]));
      expectClose(rows.slice([1, 0]), table.slice([2]));
    }
  });

  it("equals NumPy, along an axis too", () => {
    const x = scattered([3, 4, 2]);
    const indices = int([
      [2, 0, -1],
      [1, -3, 1],
    ]);
    [0, 1].forEach((axis) => {
      expectClose(take(x, indices, { axis }), listed(fixture.parts.take[axis]));
    });
    expectClose(takeAlongAxis(x, int([0, 3, -1, 1, 2, 2], [3, 2, 1]), { axis: 1 }), listed(fixture.parts.along));
  });

  it("keeps the element type and reads strided views", () => {
    expect(take([true, false], [1, 0, 0]).toArray()).toEqual([false, true, true]);
    expect(
      take(
        int([
          [1, 2],
          [3, 4],
        ]).transpose(),
        [1],
      ).toArray(),
    ).toEqual([[2, 4]]);
  });

  it("of nothing is empty, and from nothing is an error", () => {
    expect(take(scattered([3, 2]), int(new Int32Array(0))).shape).toEqual([0, 2]);
    expect(take(zeros([2, 0]), [0]).shape).toEqual([1, 0]);
    expect(() => take(zeros([0, 2]), [0])).toThrow(IndexError);
  });

  it("names the index that is out of range, its place and the range", () => {
    expect(() =>
      take(scattered([3]), [
        [0, 1],
        [2, 3],
      ]),
    ).toThrow(/index 3 at position \[1, 1\].*axis 0 of extent 3; use -3 to 2/);
    expect(() => take(scattered([3]), [-4])).toThrow(IndexError);
    expect(() => take(scattered([3]), [0.5])).toThrow(ValueError);
    expect(() => take(scattered([3]), f64([1]))).toThrow(DTypeError);
    expect(() => take(scattered([3]), [true, false, true])).toThrow(DTypeError);
    expect(() => take(3, [0])).toThrow(IndexError);
  });

  it("inside vmap finds an index that would reach the next example", () => {
    const f = vmap((x: Tensor, i: Tensor) => take(x, i));
    expect(() =>
      f(
        scattered([2, 3]),
        int([
          [0, 1],
          [1, 3],
        ]),
      ),
    ).toThrow(IndexError);
    expect(
      f(
        scattered([2, 3]),
        int([
          [0, -1],
          [1, 2],
        ]),
      ).shape,
    ).toEqual([2, 2]);
  });

  it("runs in a compiled function with indices as an input", async () => {
    const x = scattered([4, 2]);
    const f = jit((t: Tensor, i: Tensor) => take(t, i));
    expectClose(await f(x, int([3, -1, 0])), take(x, [3, 3, 0]));
    await expect(f(x, int([3, 4, 0]))).rejects.toThrow(IndexError);
  });
});

describe("takeAlongAxis", () => {
  it("picks in each line, broadcasting outside the axis", () => {
    fc.assert(
      fc.property(problems, fc.integer({ min: 0, max: 3 }), ({ shape, axis, seed }, count) => {
        const x = scattered(shape, seed);
        const of = shape.map((n, i) => (i === axis ? count : i % 2 === 0 ? 1 : n));
        const indices = randomIndices(of, shape[axis], seed);
        const y = takeAlongAxis(x, indices, { axis });
        for (const c of coordinates(y.shape)) {
          const i = element(
            indices,
            c.map((k, a) => (of[a] === 1 && a !== axis ? 0 : k)),
          );
          expect(element(y, c)).toBe(element(x, c.with(axis, wrap(i, shape[axis]))));
        }
      }),
      { numRuns: 60, seed: 2 },
    );
  });

  it("rejects indices of another rank or shape", () => {
    expect(() => takeAlongAxis(scattered([2, 3]), [0])).toThrow(ShapeError);
    expect(() => takeAlongAxis(scattered([2, 3]), int([[0], [1], [2]]))).toThrow(ShapeError);
    expect(() => takeAlongAxis(scattered([2, 3]), int([[0], [3]]))).toThrow(/position \[1, 0\]/);
  });
});

describe("scatterAdd", () => {
  it("is the transpose of take", () => {
    fc.assert(
      fc.property(problems, fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }), ({ shape, axis, seed }, of) => {
        const indices = randomIndices(of, shape[axis], seed);
        const x = scattered(shape, seed);
        const taken = take(x, indices, { axis });
        const u = scattered(taken.shape, seed + 1);
        // <take(x), u> = <x, scatterAdd(0, u)>
        const back = scatterAdd(zeros(shape, "float64"), indices, u, { axis });
        expect(sum(x.mul(back)).item()).toBeCloseTo(sum(taken.mul(u)).item(), 10);
      }),
      { numRuns: 40, seed: 3 },
    );
  });

  it("adds up repeated indices and leaves the rest", () => {
    expect(scatterAdd([1, 1, 1, 1], [1, 1, -1], [10, 20, 30]).toArray()).toEqual([1, 31, 1, 31]);
    expect(scatterAdd(zeros([2, 2]), [0], 5).toArray()).toEqual([
      [5, 5],
      [0, 0],
    ]);
    expect(scatterAdd(int([1, 2]), int([0]), int([7])).toArray()).toEqual([8, 2]);
  });

  it("does not change what it adds to", () => {
    const x = f64([1, 2]);
    scatterAdd(x, [0], [5]);
    expect(x.toArray()).toEqual([1, 2]);
  });

  it("rejects updates that do not fit", () => {
    expect(() => scatterAdd(zeros([3]), [0, 1], [1, 2, 3])).toThrow(ShapeError);
    expect(() => scatterAdd(zeros([3]), [3], [1])).toThrow(IndexError);
    expect(() => scatterAdd([true], [0], [true])).toThrow(DTypeError);
  });
});

describe("scatterSet", () => {
  it("replaces rows, by the last update for each", () => {
    expect(scatterSet([1, 2, 3, 4], [1, -1, 1], [10, 20, 30]).toArray()).toEqual([1, 30, 3, 20]);
    expect(
      scatterSet(
        zeros([2, 3]),
        [0, 2],
        [
          [1, 2],
          [3, 4],
        ],
        1,
      ).toArray(),
    ).toEqual([
      [1, 0, 2],
      [3, 0, 4],
    ]);
  });

  it("does not change what it is given", () => {
    const x = f64([1, 2]);
    scatterSet(x, [0], [5]);
    expect(x.toArray()).toEqual([1, 2]);
  });

  it("keeps nothing of what it replaces", () => {
    expect(scatterSet([Number.NaN, 1], 0, 7).toArray()).toEqual([7, 1]);
  });

  it("rejects updates that do not fit", () => {
    expect(() => scatterSet(zeros([3]), [0, 1], [1, 2, 3])).toThrow(ShapeError);
    expect(() => scatterSet(zeros([3]), [3], [1])).toThrow(IndexError);
  });
});

describe("gradients of indexing", () => {
  const i = int([
    [2, 0],
    [2, 1],
  ]);
  it("equal finite differences", () => {
    for (const axis of [0, 1, 2]) {
      expectGradient((x) => take(x, i, { axis }), [scattered([3, 4, 3])]);
    }
    expectGradient(
      (x) =>
        takeAlongAxis(
          x,
          int([
            [0, 0, 2],
            [1, 0, 1],
          ]),
        ),
      [scattered([2, 4])],
    );
    expectGradient((x, u) => scatterAdd(x, i, u, { axis: 1 }), [scattered([2, 3]), scattered([2, 2, 2])]);
    expectGradient((x, u) => scatterSet(x, i, u, { axis: 1 }), [scattered([2, 3, 2]), scattered([2, 2, 2, 2])]);
    expectGradient((x, u) => scatterAddAlongAxis(x, i, u, { axis: 0 }), [scattered([3, 2]), scattered([2, 2])]);
    expectGradient((x) => at(x, [int([0, 1, 1]), int([2, 0, 2])]), [scattered([2, 3, 2])]);
  });
  it("equal finite differences in second order", () => {
    expectSecondGradient((x) => take(x, i, { axis: 0 }), [scattered([3, 2])]);
    expectSecondGradient((x, u) => scatterAdd(x, i, u), [scattered([3]), scattered([2, 2])]);
    expectSecondGradient((x, u) => scatterSet(x, i, u), [scattered([3]), scattered([2, 2])]);
    expectSecondGradient((x) => segmentMax(x, int([0, 1, 0, 1]), 2), [scattered([4, 2])]);
  });
  it("of segments equal finite differences", () => {
    const ids = int([1, 0, 1, 3, 0]);
    for (const f of [segmentSum, segmentMean, segmentSoftmax]) {
      expectGradient((x) => f(x, ids, 4), [scattered([5, 2])]);
    }
    const filled = int([1, 0, 1, 2, 0]);
    expectGradient((x) => segmentMax(x, filled, 3), [scattered([5, 2])]);
    expectGradient((x) => segmentMin(x, filled, 3), [scattered([5, 2])]);
  });
  it("of tied largest values are shared", () => {
    const g = grad((x: Tensor) => sum(segmentMax(x, int([0, 0, 0, 1]), 2)))(f64([2, 1, 2, 5]));
    expect(g.toArray()).toEqual([0.5, 0, 0.5, 1]);
  });
});

describe("vmap of indexing equals the loop", () => {
  for (const axis of [0, 1]) {
    it(`along axis ${axis}`, () => {
      const x = scattered([3, 4, 4, 2]);
      expectVmap((t, i) => take(t, i, { axis }), [x, randomIndices([3, 2, 3], 4, 5)]);
      expectVmap((t, i) => take(t, i, { axis }), [x, randomIndices([3], 4, 5)]);
      expectVmap((t, i) => takeAlongAxis(t, i, { axis }), [x, randomIndices([3, 4, 4, 2], 4, 6)]);
      expectVmap(
        (t, i, u) => scatterAdd(t, i, u, { axis }),
        [x, randomIndices([3, 2, 3], 4, 7), scattered([3, ...(axis === 0 ? [2, 3, 4] : [4, 2, 3]), 2])],
      );
      expectVmap(
        (t, i, u) => scatterSet(t, i, u, { axis }),
        [x, randomIndices([3, 2, 3], 4, 9), scattered([3, ...(axis === 0 ? [2, 3, 4] : [4, 2, 3]), 2])],
      );
      expectVmap(
        (t, i, u) => scatterAddAlongAxis(t, i, u, { axis }),
        [x, randomIndices([3, 4, 4, 2], 4, 8), scattered([3, 4, 4, 2])],
      );
    });
  }
  it("for segments and nested batches", () => {
    expectVmap((x, i) => segmentMax(x, i, 3), [scattered([2, 5, 2]), randomIndices([2, 5], 3, 1, false)]);
    expectVmap((x, i) => segmentSoftmax(x, i, 3), [scattered([2, 5]), randomIndices([2, 5], 3, 1, false)]);
    const x = scattered([2, 3, 4]);
    const i = randomIndices([2, 3, 2], 4, 3);
    expectClose(vmap(vmap((t: Tensor, k: Tensor) => take(t, k)))(x, i), takeAlongAxis(x, i));
  });
  it("for gradients", () => {
    expectVmap(
      (x, i) => grad((t: Tensor) => sum(take(t, i).mul(take(t, i))))(x),
      [scattered([3, 4]), randomIndices([3, 5], 4, 2)],
    );
  });
});

describe("segments", () => {
  const data = f64([
    [1, 2],
    [3, 4],
    [5, 6],
  ]);
  it("sum, average and bound the rows of one id", () => {
    const ids = int([2, 0, 2]);
    expect(segmentSum(data, ids, 4).toArray()).toEqual([
      [3, 4],
      [0, 0],
      [6, 8],
      [0, 0],
    ]);
    expect(segmentMean(data, ids, 3).toArray()).toEqual([
      [3, 4],
      [0, 0],
      [3, 4],
    ]);
    expect(segmentMax(data, ids, 3).toArray()).toEqual([
      [3, 4],
      [-Infinity, -Infinity],
      [5, 6],
    ]);
    expect(segmentMin(data, ids, 3).toArray()).toEqual([
      [3, 4],
      [Infinity, Infinity],
      [1, 2],
    ]);
    const weights = segmentSoftmax(f64([1000, 0, 1000]), ids, 3);
    expect(weights.toArray()).toEqual([0.5, 1, 0.5]);
  });
  it("of no rows", () => {
    expect(segmentSum(zeros([0, 2]), int(new Int32Array(0)), 2).toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });
  it("reject ids out of range and of another length", () => {
    expect(() => segmentSum(data, [0, 1, 4], 4)).toThrow(IndexError);
    expect(() => segmentSum(data, [0, -1, 1], 4)).toThrow(IndexError);
    expect(() => segmentSum(data, [0, 1], 4)).toThrow(ShapeError);
    expect(() => segmentSum(data, [0, 1, 1], 1.5)).toThrow(ValueError);
  });
});

describe("oneHot and at", () => {
  it("oneHot marks the index along the new axis", () => {
    expect(oneHot([0, 2], 3).toArray()).toEqual([
      [1, 0, 0],
      [0, 0, 1],
    ]);
    expect(oneHot([0, 2], 3, { axis: 0, dtype: "int32" }).toArray()).toEqual([
      [1, 0],
      [0, 0],
      [0, 1],
    ]);
    expect(oneHot([[1]], 2, { axis: 1 }).shape).toEqual([1, 2, 1]);
    expect(oneHot(1, 2).toArray()).toEqual([0, 1]);
    expect(() => oneHot([3], 3)).toThrow(IndexError);
    expectVmap((i) => oneHot(i, 4, { dtype: "float64" }), [randomIndices([3, 2], 4, 1, false)]);
  });
  it("at picks by coordinates that broadcast", () => {
    const x = scattered([2, 3, 4]);
    const y = at(x, [int([[0], [1]]), [2, -1, 0]]);
    expect(y.shape).toEqual([2, 3, 4]);
    expectClose(y.slice([1, 2]), x.slice([1, 0]));
    expectClose(at(x, [arange(2), [1, 1], [0, 3]]), f64([x.slice([0, 1, 0]).item(), x.slice([1, 1, 3]).item()]));
    expect(() => at(x, [[0], [3]])).toThrow(/axis 1/);
    expect(() => at(x, [])).toThrow(IndexError);
  });
});

describe("scatterProduct", () => {
  const [into, from] = [int([2, 0, 2, 1, 2]), int([3, 0, 3, 1, 2])];
  const values = scattered([5, 2, 3]);
  const x = scattered([4, 2, 3]);
  const composed = (v: Tensor, y: Tensor) => segmentSum(v.mul(take(y, from)), into, 4);

  it("is the sum of the products, for any further axes", () => {
    expectClose(scatterProduct(values, x, into, from, 4), composed(values, x), 1e-15);
    const [v, y] = [scattered([5]), scattered([4])];
    expectClose(scatterProduct(v, y, into, from, 4), composed(v, y), 1e-15);
    expect(scatterProduct(zeros([0, 2]), zeros([3, 2]), int([], [0]), int([], [0]), 2).toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]); // prettier-ignore
  });

  it("has the gradients of both, twice", () => {
    const product = (v: Tensor, y: Tensor) => scatterProduct(v, y, into, from, 4);
    expectGradient(product, [values, x]);
    expectSecondGradient(product, [values, x]);
  });

  it("is batched by any of its arguments", () => {
    expectVmap((v, y) => scatterProduct(v, y, into, from, 4), [scattered([3, 5, 2]), scattered([3, 4, 2])]);
    const ends = int([
      [2, 0, 2, 1, 2],
      [1, 1, 0, 3, 0],
    ]); // prettier-ignore
    const each = vmap((to: Tensor, v: Tensor) => scatterProduct(v, x, to, from, 4), { inAxes: [0, null] })(
      ends,
      values,
    );
    expectClose(each.slice([1]), scatterProduct(values, x, ends.slice([1]), from, 4), 1e-15);
  });

  it("agrees compiled, in both precisions and at every width", async () => {
    for (const dtype of ["float32", "float64"] as const) {
      for (const width of [1, 2, 3, 7, 16, 70]) {
        const [v, y] = [scattered([5, width]), scattered([4, width])].map((t) =>
          tensor(t.data(), { shape: t.shape, dtype }),
        );
        const run = jit((a: Tensor, b: Tensor) => scatterProduct(a, b, into, from, 4));
        expectClose(await run(v, y), composed(v, y), dtype === "float32" ? 1e-6 : 1e-15);
      }
    }
  });

  it("refuses what does not fit", async () => {
    expect(() => scatterProduct(values, x, int([4, 0, 0, 0, 0]), from, 4)).toThrow(IndexError);
    expect(() => scatterProduct(values, x, into, int([0, 0, 0, 0, 4]), 4)).toThrow(IndexError);
    expect(() => scatterProduct(values, scattered([4, 2]), into, from, 4)).toThrow(ShapeError);
    expect(() => scatterProduct(values, x, int([0]), from, 4)).toThrow(ShapeError);
    expect(() => scatterProduct(values, x, into, from, 1.5)).toThrow(ValueError);
    const far = jit((to: Tensor) => scatterProduct(values, x, to, from, 4));
    await expect(far(int([4, 0, 0, 0, 0]))).rejects.toThrow(IndexError);
  });
});
