import { jit, linalg, matmul, mul, random, stack, type Tensor, tensor } from "@offprint/tensor-core";
import { expectClose, expectGradient } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { projections, proximal } from "../src/index.js";

const rng = random.rng("projections");
const draw = (shape: number[]) => rng.normal(shape, { dtype: "float64" });
const list = (x: Tensor) => Array.from(x.data());
const dot = (x: number[], y: number[]) => x.reduce((sum, v, i) => sum + v * y[i], 0);

const a = draw([2, 5]);
const b = draw([2]);
const normal = draw([5]);
const sets: Record<string, (x: Tensor) => Tensor> = {
  ball: projections.ball({ radius: 0.7, center: [0.1, 0, -0.2, 0.3, 0] }),
  box: projections.box(-0.3, [0.1, 0.5, 0.2, 1, 0.4]),
  simplex: projections.simplex(1.5),
  "half-space": projections.halfSpace(normal, -0.4),
  "affine set": projections.affineSet(a, b),
  polyhedron: projections.polyhedron({
    matrix: draw([7, 5]),
    bounds: [0.4, 0.1, 0.3, 0.2, 0, 0.5, 0.1],
    equality: [false, true, false, false, false, false, false],
  }),
  "second-order cone": projections.secondOrderCone(),
  "soft-margin set": projections.softMarginSet({ features: [[1.2], [-0.4], [0.3]], labels: [1, -1, 1] }),
  "intersection with a tolerance": projections.intersection(
    [projections.halfSpace(normal, -0.4), projections.box(-1, 1)],
    { maxIterations: 1000, tolerance: 1e-12 },
  ),
  intersection: projections.intersection([projections.halfSpace(normal, -0.4), projections.box(-1, 1)], {
    maxIterations: 60,
  }),
};

describe.each(Object.entries(sets))("the projection to a %s", (_, project) => {
  it("lands in the set, and no point of the set is nearer", () => {
    for (let trial = 0; trial < 6; trial++) {
      const x = draw([5]);
      const p = project(x);
      expect(Math.max(...list(project(p)).map((v, i) => Math.abs(v - p.data()[i])))).toBeLessThan(1e-9);
      // (x - p) . (q - p) <= 0 for every q of the set.
      const out = list(x).map((v, i) => v - p.data()[i]);
      for (let k = 0; k < 8; k++) {
        const q = list(project(draw([5])));
        expect(dot(out, q) - dot(out, list(p))).toBeLessThan(1e-8);
      }
    }
  });

  it("has its gradient, takes batches, and compiles", async () => {
    expectGradient(project, [draw([3, 5])]);
    const rows = draw([4, 5]);
    const whole = list(project(rows));
    for (let i = 0; i < 4; i++) {
      list(project(rows.slice([i]))).forEach((v, j) => {
        expect(v).toBeCloseTo(whole[5 * i + j], 12);
      });
    }
    const compiled = await jit(project)(rows);
    list(compiled).forEach((v, i) => {
      expect(v).toBeCloseTo(whole[i], 12);
    });
  });
});

describe("projections", () => {
  it("to the soft-margin set are those of Dykstra's method on its half-spaces", () => {
    const count = 12;
    const features = draw([count, 3]);
    const labels = Array.from({ length: count }, (_, i) => (i % 3 === 0 ? -1 : 1));
    const project = projections.softMarginSet({ features, labels });
    const halfSpaces = labels.map((label, i) => {
      const row = new Float64Array(4 + count);
      row.set([...list(features.slice([i])), 1].map((v) => -label * v));
      row[4 + i] = -1;
      return projections.halfSpace(row, -1);
    });
    const reference = projections.intersection(halfSpaces, { maxIterations: 20000, tolerance: 1e-11 });
    for (const size of [0.3, 2, 10]) {
      const x = mul(draw([4 + count]), size);
      expectClose(project(x), reference(x), { absolute: 1e-8 });
    }
    expect(() => projections.softMarginSet({ features, labels: [1] })).toThrow(/give \[N, d\], \[N\]/);
    expect(() => project([1, 2])).toThrow(/its last axis must have w, b, xi: 16/);
  });

  it("know what they are projections to", () => {
    const x = draw([5]);
    expect(list(sets.simplex(x)).reduce((sum, v) => sum + v, 0)).toBeCloseTo(1.5, 12);
    expect(Math.min(...list(sets.simplex(x)))).toBeGreaterThanOrEqual(0);
    expect(list(projections.simplex()([-1e16, 3e16, 0]))).toEqual([0, 1, 0]);
    expect(list(projections.simplex()([1e9 + 0.25, 1e9, 0]))).toEqual([0.625, 0.375, 0]);
    list(matmul(a, sets["affine set"](x))).forEach((v, i) => {
      expect(v).toBeCloseTo(b.data()[i], 11);
    });
    expect(dot(list(normal), list(sets["half-space"](x)))).toBeLessThan(-0.4 + 1e-12);
    const cone = list(sets["second-order cone"](x));
    expect(Math.hypot(...cone.slice(0, 4))).toBeLessThanOrEqual(cone[4] + 1e-12);
    expect(list(projections.secondOrderCone()([3, 4, -9])).map(Math.abs)).toEqual([0, 0, 0]);
    expect(list(projections.secondOrderCone()([0, 0, 2]))).toEqual([0, 0, 2]);
    expect(list(projections.ball({ radius: 1 })([0, 0]))).toEqual([0, 0]);
  });

  it("take points whose squares overflow or vanish", () => {
    for (const unit of [1e-200, 1e200]) {
      const scaled = (point: readonly number[]) => point.map((v) => v * unit);
      const inUnits = (y: Tensor) => list(y).map((v) => v / unit);
      expectClose(inUnits(projections.ball({ radius: unit })(scaled([3, 4]))), [0.6, 0.8], 1e-15);
      expectClose(inUnits(projections.ball({ radius: 6 * unit })(scaled([3, 4]))), [3, 4], 1e-15);
      expectClose(inUnits(projections.secondOrderCone()(scaled([3, 4, 1]))), [1.8, 2.4, 3], 1e-15);
    }
  });

  it("to half-spaces do not depend on the length of the normal, whatever it is", () => {
    for (const unit of [1e-200, 1, 1e200]) {
      const project = projections.halfSpace([3 * unit, 4 * unit], 5 * unit);
      expectClose(project([3, 4]), [0.6, 0.8], 1e-14);
      expectClose(project([0.1, 0.2]), [0.1, 0.2], 1e-15);
    }
  });

  it("refuse sets that are none", () => {
    for (const offset of [Number.NaN, "1" as never]) {
      expect(() => projections.halfSpace([1, 2], offset)).toThrow(/offset is .*; give a finite number/);
    }
    expect(() => projections.halfSpace([Number.NaN, 2], 1)).toThrow(/the normal holds NaN/);
    expect(() => projections.halfSpace(2, 1)).toThrow(/the normal has shape \[\]; give a vector/);
    expect(() => projections.halfSpace([2], 1)([1, 2])).toThrow(/x has shape \[2\]; the normal has 1 entries/);
    for (const lower of [2, Number.NaN, [0, 2]]) {
      expect(() => projections.box(lower, 1)).toThrow(/a lower bound is above its upper one, or is no number/);
    }
    expectClose(projections.box(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)([1, 2]), [1, 2]);
    expect(() => projections.ball({ radius: -1 })).toThrow(/radius is -1/);
    expect(() => projections.halfSpace([0, 0], 1)).toThrow(/normal is zero/);
    expect(() => projections.affineSet([[1, 2]], [1, 2])).toThrow(/shape/);
    expect(() =>
      projections.affineSet(
        [
          [1, 2],
          [2, 4],
        ],
        [1, 2],
      ),
    ).toThrow(/singular/);
    expect(() => projections.intersection([])).toThrow(/no sets/);
  });
});

describe("the projection to a polyhedron", () => {
  /** The nearest point by trying which rows hold with equality. */
  function nearestByTrying(matrix: Tensor, bounds: Tensor, x: Tensor): number[] {
    const l = bounds.size;
    let best: number[] = [];
    let least = Number.POSITIVE_INFINITY;
    for (let subset = 0; subset < 2 ** l; subset++) {
      const chosen = Array.from({ length: l }, (_, i) => i).filter((i) => subset & (2 ** i));
      if (chosen.length > x.size) continue;
      const rows = (t: Tensor) => stack(chosen.map((i) => t.slice([i])));
      const p = chosen.length === 0 ? x : projections.affineSet(rows(matrix), rows(bounds))(x);
      const outside = list(matmul(matrix, p)).some((v, i) => v > bounds.data()[i] + 1e-9);
      const distance = Math.hypot(...list(p).map((v, i) => v - x.data()[i]));
      if (!outside && distance < least) [best, least] = [list(p), distance];
    }
    return best;
  }

  it("is the one that is found by trying which rows hold with equality", () => {
    for (let trial = 0; trial < 5; trial++) {
      const [matrix, x] = [draw([6, 3]), mul(draw([3]), 3)];
      const bounds = rng.uniform([6], { dtype: "float64" });
      expectClose(projections.polyhedron({ matrix, bounds })(x), nearestByTrying(matrix, bounds, x), 1e-10);
    }
  });

  it("stands rows that are repeated, that depend on each other, and that meet in one point", () => {
    const matrix = [
      [1, 0],
      [0, 1],
      [1, 1],
      [1, 1],
      [2, 1],
      [-1, -1],
    ];
    const project = projections.polyhedron({ matrix, bounds: [0, 0, 0, 0, 0, 5] });
    expectClose(project([3, 4]), [0, 0], 1e-14);
    expectClose(project([1, -1]), [0, -1], 1e-14);
    expectClose(project([-1, -2]), [-1, -2], 1e-14);
    expectClose(project([-4, -5]), [-2, -3], 1e-14);
    const flat = projections.polyhedron({ matrix, bounds: [1, 1, 1, 1, 2, -1] });
    expectClose(flat([2, 2]), [0.5, 0.5], 1e-14);
    const none = projections.polyhedron({ matrix: tensor(new Float64Array(0), { shape: [0, 2] }), bounds: [] });
    expectClose(none([3, 4]), [3, 4], 0);
  });

  it("refuses what is none", () => {
    const make = (matrix: number[][], bounds: number[], equality?: boolean[]) => () =>
      projections.polyhedron({ matrix, bounds, ...(equality && { equality }) });
    expect(make([[1], [-1]], [-1, -1])).toThrow(/no point satisfies all 2 rows/);
    expect(
      make(
        [
          [1, 0],
          [0, 0],
        ],
        [1, 1],
      ),
    ).toThrow(/row 1 of matrix is zero/);
    expect(make([[1, 0]], [1, 1])).toThrow(/bounds \[2\]; give/);
    expect(make([[1, 0]], [1], [])).toThrow(/equality has 0 entries/);
    expect(
      make(
        [
          [1, 0],
          [2, 0],
        ],
        [1, 1],
        [true, true],
      ),
    ).toThrow(/equations depend on each other/);
    expect(() => make([[1, 0]], [1])()([1, 2, 3])).toThrow(/last axis must have 2/);
  });
});

/** `|z - x|^2 / 2 + h(z)` is least at the proximal point: nowhere nearby is it less. */
function expectMinimum(prox: (x: Tensor) => Tensor, h: (z: Tensor) => number, x: Tensor) {
  const value = (z: Tensor) => list(z).reduce((sum, v, i) => sum + (v - x.data()[i]) ** 2 / 2, 0) + h(z);
  const z = prox(x);
  const least = value(z);
  for (const size of [1e-3, 0.1, 1]) {
    for (let k = 0; k < 20; k++) {
      const step = draw([...x.shape]);
      const other = tensor(
        Float64Array.from(list(z), (v, i) => v + size * step.data()[i]),
        { shape: x.shape },
      );
      expect(value(other)).toBeGreaterThanOrEqual(least - 1e-12);
    }
  }
}

describe("proximal maps", () => {
  const sumOf = (values: number[]) => values.reduce((sum, v) => sum + v, 0);
  const rowsOf = (z: Tensor) => Array.from({ length: z.shape[0] }, (_, i) => list(z.slice([i])));

  it("minimise what they are to minimise", () => {
    for (const weight of [0, 0.4, 2]) {
      const x = draw([4, 3]);
      expectMinimum(proximal.l1(weight), (z) => weight * sumOf(list(z).map(Math.abs)), x);
      expectMinimum(proximal.groups(weight), (z) => weight * sumOf(rowsOf(z).map((row) => Math.hypot(...row))), x);
      expectMinimum(proximal.nuclearNorm(weight), (z) => weight * sumOf(list(linalg.svdvals(z))), x);
    }
  });

  it("of groups do not depend on the unit", () => {
    for (const unit of [1e-200, 1, 1e200]) {
      expectClose(
        proximal
          .groups(unit)([3 * unit, 4 * unit])
          .div(unit),
        [2.4, 3.2],
        1e-14,
      );
    }
  });

  it("have their gradients", () => {
    const x = draw([4, 3]);
    for (const prox of [proximal.l1(0.3), proximal.groups(0.5), proximal.nuclearNorm(0.4)]) expectGradient(prox, [x]);
    expect(() => proximal.l1(-1)).toThrow(/weight is -1/);
  });
});
