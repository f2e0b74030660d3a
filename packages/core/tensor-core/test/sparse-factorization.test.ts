import { readFixture } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { ShapeError, ValueError } from "../src/errors.js";
import * as sparse from "../src/sparse/index.js";

const fixtures = readFixture<any>(import.meta.url, "sparse.json");
type Triplets = { rows: number; columns: number; i: number[]; j: number[]; v: number[] };
const build = (t: Triplets) => sparse.fromTriplets(t.rows, t.columns, t.i, t.j, t.v);

/** Uniform numbers in [0, 1) from a 32-bit counter hash. */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32;
  };
}

function gridLaplacian(side: number): sparse.CsrMatrix {
  const line = sparse.add(
    sparse.scale(sparse.identity(side), 2.05),
    sparse.add(
      sparse.diagonal(new Float64Array(side - 1).fill(-1), 1),
      sparse.diagonal(new Float64Array(side - 1).fill(-1), -1),
    ),
  );
  const eye = sparse.identity(side);
  return sparse.toCsr(sparse.add(sparse.kron(line, eye), sparse.kron(eye, line)));
}

/** `[P + I, A'; A, -D]` with random sparse P (positive semidefinite) and A. */
function quasiDefinite(n: number, m: number, random: () => number): sparse.CsrMatrix {
  const draw = (rows: number, columns: number, entries: number) =>
    sparse.fromTriplets(
      rows,
      columns,
      Array.from({ length: entries }, () => Math.floor(random() * rows)),
      Array.from({ length: entries }, () => Math.floor(random() * columns)),
      Array.from({ length: entries }, () => 2 * random() - 1),
    );
  const p = sparse.add(sparse.gram(draw(n, n, 2 * n)), sparse.identity(n), 1, 0.1);
  const a = draw(m, n, 3 * m);
  const d = sparse.diagonal(Float64Array.from({ length: m }, () => -0.05 - random()));
  return sparse.block([
    [p, sparse.transpose(a)],
    [a, d],
  ]);
}

function relativeResidual(a: sparse.SparseMatrix, x: Float64Array, b: Float64Array): number {
  const ax = sparse.multiplyVector(a, x);
  return Math.sqrt(ax.reduce((s, v, i) => s + (v - b[i]) ** 2, 0) / b.reduce((s, v) => s + v * v, 0));
}

function factorEntries(a: sparse.SparseMatrix, ordering: "amd" | "natural"): number {
  return sparse.analyzePattern(a, { ordering }).factorEntries;
}

describe("minimum degree order", () => {
  it("is a permutation for random, empty, dense and disconnected patterns", () => {
    const random = uniform(1);
    for (let trial = 0; trial < 60; trial++) {
      const n = 1 + Math.floor(random() * 60);
      const entries = Math.floor(random() * 4 * n) * (trial % 5);
      const index = () => Array.from({ length: entries }, () => Math.floor(random() * n));
      const order = sparse.approximateMinimumDegree(
        sparse.fromTriplets(n, n, index(), index(), new Float64Array(entries).fill(1)),
      );
      expect(Array.from(order).sort((x, y) => x - y)).toEqual(Array.from({ length: n }, (_, i) => i));
    }
  });

  it("makes no fill for trees and arrows", () => {
    const n = 400;
    const random = uniform(2);
    const parents = Array.from({ length: n - 1 }, (_, i) => Math.floor(random() * (i + 1)));
    const children = parents.map((_, i) => i + 1);
    const tree = sparse.fromTriplets(
      n,
      n,
      [...parents, ...children],
      [...children, ...parents],
      new Float64Array(2 * n - 2).fill(1),
    );
    expect(factorEntries(tree, "amd")).toBe(n - 1);
    const zeros = children.map(() => 0);
    const arrow = sparse.fromTriplets(
      n,
      n,
      [...zeros, ...children],
      [...children, ...zeros],
      new Float64Array(2 * n - 2).fill(1),
    );
    expect(factorEntries(arrow, "amd")).toBe(n - 1);
    expect(factorEntries(arrow, "natural")).toBe((n * (n - 1)) / 2);
  });

  it("fills a grid far less than the natural order, and the more the larger it is", () => {
    expect(factorEntries(gridLaplacian(20), "natural") / factorEntries(gridLaplacian(20), "amd")).toBeGreaterThan(1.9);
    expect(factorEntries(gridLaplacian(60), "natural") / factorEntries(gridLaplacian(60), "amd")).toBeGreaterThan(3.5);
  });
});

describe("against scipy", () => {
  it("Cholesky solution and determinant", () => {
    const a = build(fixtures.spd);
    const factor = sparse.cholesky(a);
    const x = factor.solve(Float64Array.from({ length: 25 }, (_, i) => i));
    for (let i = 0; i < 25; i++) expect(x[i] / fixtures.spdSolution[i]).toBeCloseTo(1, 10);
    expect(factor.logDeterminant()).toBeCloseTo(fixtures.spdLogDeterminant, 11);
  });

  it("LDL solution and inertia of a quasi-definite matrix, from any format", () => {
    for (const a of [build(fixtures.kkt), sparse.toCsc(build(fixtures.kkt)), sparse.toCoo(build(fixtures.kkt))]) {
      const factor = sparse.ldl(a);
      const x = factor.solve(Float64Array.from({ length: 22 }, (_, i) => i));
      for (let i = 0; i < 22; i++) expect(x[i]).toBeCloseTo(fixtures.kktSolution[i], 10);
      expect([factor.inertia().positive, factor.inertia().negative]).toEqual(fixtures.kktInertia);
    }
  });
});

describe("factorisations", () => {
  it("L D L' and L L' are the permuted matrix", () => {
    const a = quasiDefinite(15, 9, uniform(3));
    const factor = sparse.ldl(a);
    const { symbolic, pivots } = factor;
    expect(factor.replacedPivots).toBe(0);
    const lower = factor.lower();
    const product = sparse.multiply(sparse.scaleColumns(lower, pivots), sparse.transpose(lower));
    const permuted = sparse.permute(a, symbolic.permutation, symbolic.permutation);
    const [x, y] = [sparse.toDense(product), sparse.toDense(permuted)];
    for (let k = 0; k < x.length; k++) expect(x[k]).toBeCloseTo(y[k], 12);

    const spd = gridLaplacian(6);
    const c = sparse.cholesky(spd);
    const [u, v] = [
      sparse.toDense(sparse.multiply(c.lower(), sparse.transpose(c.lower()))),
      sparse.toDense(sparse.permute(spd, c.symbolic.permutation, c.symbolic.permutation)),
    ];
    for (let k = 0; k < u.length; k++) expect(u[k]).toBeCloseTo(v[k], 12);
  });

  it("residuals of random quasi-definite systems are small in every order and triangle", () => {
    const random = uniform(4);
    for (let trial = 0; trial < 20; trial++) {
      const [n, m] = [5 + trial * 6, 3 + trial * 4];
      const a = quasiDefinite(n, m, random);
      const b = Float64Array.from({ length: n + m }, () => 2 * random() - 1);
      const reversed = Int32Array.from({ length: n + m }, (_, i) => n + m - 1 - i);
      for (const ordering of ["amd", "natural", reversed] as const) {
        const factor = sparse.ldl(a, { ordering });
        expect(relativeResidual(a, factor.solve(b), b)).toBeLessThan(1e-11);
        expect(factor.inertia()).toEqual({ positive: n, negative: m });
      }
      const onlyUpper = sparse.toCsr(upperTriangle(a));
      expect(relativeResidual(a, sparse.ldl(onlyUpper).solve(b), b)).toBeLessThan(1e-11);
      const onlyLower = sparse.transpose(onlyUpper);
      expect(relativeResidual(a, sparse.ldl(onlyLower, { triangle: "lower" }).solve(b), b)).toBeLessThan(1e-11);
    }
  });

  it("a grid of 10,000 unknowns is solved to 1e-13", () => {
    const a = gridLaplacian(100);
    const b = new Float64Array(10000).map((_, i) => Math.sin(i));
    const factor = sparse.cholesky(a);
    expect(relativeResidual(a, factor.solve(b), b)).toBeLessThan(1e-13);
    expect(factor.symbolic.factorEntries).toBeLessThan(320_000);
  });

  it("a matrix of the same pattern refactors without a new analysis", () => {
    const a = quasiDefinite(30, 20, uniform(5));
    const symbolic = sparse.analyzePattern(a);
    const factor = sparse.ldlNumeric(symbolic, a);
    const scaled = sparse.scale(a, 3);
    const b = new Float64Array(50).fill(1);
    factor.refactor(scaled.values);
    expect(relativeResidual(scaled, factor.solve(b), b)).toBeLessThan(1e-12);
    const out = new Float64Array(50);
    expect(factor.solve(b, out)).toBe(out);
    expect(sparse.ldlNumeric(symbolic, scaled).pivots).toEqual(factor.pivots);
    const definite = gridLaplacian(5);
    const c = sparse.cholesky(definite);
    c.refactor(sparse.scale(definite, 4));
    expect(c.logDeterminant() - sparse.cholesky(definite).logDeterminant()).toBeCloseTo(25 * Math.log(4), 10);
  });

  it("whitening and colouring agree with the solution", () => {
    const a = gridLaplacian(5);
    const factor = sparse.cholesky(a);
    const b = new Float64Array(25).map((_, i) => i - 3);
    const x = factor.solve(b);
    const white = factor.whiten(b);
    expect(white.reduce((s, v) => s + v * v, 0)).toBeCloseTo(
      x.reduce((s, v, i) => s + v * b[i], 0),
      9,
    );
    const back = factor.colorPrecision(white);
    for (let i = 0; i < 25; i++) expect(back[i]).toBeCloseTo(x[i], 11);
  });

  it("pivots with a wrong sign are replaced when signs are given, and refinement repairs a small one", () => {
    const a = sparse.fromDense([
      [1, 0, 1],
      [0, 1, 1],
      [1, 1, 0],
    ]);
    const singular = sparse.fromDense([
      [0, 1],
      [1, 0],
    ]);
    const factor = sparse.ldl(singular, { ordering: "natural", signs: [1, -1], pivotReplacement: 1e-8 });
    expect(factor.replacedPivots).toBe(1);
    const refined = factor.solveRefined(singular, [2, 3], 3);
    expect(refined[0]).toBeCloseTo(3, 12);
    expect(refined[1]).toBeCloseTo(2, 12);
    expect(sparse.ldl(a, { signs: [1, 1, -1] }).replacedPivots).toBe(0);
  });
});

function upperTriangle(a: sparse.CsrMatrix): sparse.CsrMatrix {
  const { rowIndices, columnIndices, values } = sparse.toCoo(a);
  const kept = Array.from(values.keys()).filter((k) => rowIndices[k] <= columnIndices[k]);
  return sparse.fromTriplets(
    a.rows,
    a.columns,
    kept.map((k) => rowIndices[k]),
    kept.map((k) => columnIndices[k]),
    kept.map((k) => values[k]),
  );
}

describe("wrong input", () => {
  it("is refused with a typed error", () => {
    const a = gridLaplacian(3);
    expect(() => sparse.ldl(sparse.fromDense([[1, 2]]))).toThrow(ShapeError);
    expect(() => sparse.cholesky(sparse.scale(a, -1))).toThrow(/not positive definite/);
    expect(() => sparse.ldl(sparse.scale(a, Number.NaN))).toThrow(ValueError);
    expect(() =>
      sparse.ldl(
        sparse.fromDense([
          [0, 1],
          [1, 0],
        ]),
        { ordering: "natural" },
      ),
    ).toThrow(ValueError);
    expect(() => sparse.analyzePattern(a, { ordering: [0, 0, 1, 2, 3, 4, 5, 6, 7] })).toThrow(ValueError);
    expect(() => sparse.analyzePattern(a, { ordering: "metis" as never })).toThrow(ValueError);
    expect(() => sparse.ldlNumeric(sparse.analyzePattern(a), new Float64Array(4))).toThrow(ShapeError);
    expect(() => sparse.ldl(a, { signs: [1, 1] })).toThrow(ShapeError);
    expect(() => sparse.ldl(a, { signs: new Float64Array(9) })).toThrow(ValueError);
    expect(() => sparse.ldl(a).solve([1, 2])).toThrow(ShapeError);
  });
});

describe("a factorisation in parts", () => {
  /** All entries, so that column j of the factor has n - 1 - j: about n^3 / 6 multiplications. */
  const n = 300;
  const whole = sparse.fromDense(
    Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_unused, j) => (i === j ? n : Math.sin(i + j)))),
  );

  it("is that in one go, and a part has about a million multiplications", () => {
    const symbolic = sparse.analyzePattern(whole);
    const expected = sparse.ldlNumeric(symbolic, whole);
    const factorization = new sparse.LdlFactorization(symbolic, null);
    let yields = 0;
    for (const parts = factorization.refactoring(whole); parts.next().done !== true; ) yields++;
    expect(factorization.lower().values).toEqual(expected.lower().values);
    expect(factorization.pivots).toEqual(expected.pivots);
    const multiplications = (n * (n - 1) * (n - 2)) / 6;
    // A part ends with the row that reaches the number.
    expect(yields).toBeGreaterThanOrEqual(Math.floor(multiplications / (2 ** 20 + (n * n) / 2)));
    expect(yields).toBeLessThanOrEqual(multiplications / 2 ** 20);
  });

  it("has the same analysis, which gives others several turns", () => {
    const parts = sparse.analyzingPattern(whole);
    let yields = 0;
    for (;;) {
      const { done, value } = parts.next();
      if (done !== true) {
        yields++;
        continue;
      }
      expect(value).toEqual(sparse.analyzePattern(whole));
      break;
    }
    expect(yields).toBeGreaterThanOrEqual(5);
  });
});
