import { expectClose, readFixture } from "@offprint/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tensor } from "../src/construct.js";
import { FormatError, IndexError, ShapeError, UnsupportedError, ValueError } from "../src/errors.js";
import * as sparse from "../src/sparse/index.js";

const fixtures = readFixture<any>(import.meta.url, "sparse.json");

interface Triplets {
  rows: number;
  columns: number;
  i: number[];
  j: number[];
  v: number[];
}
const build = (t: Triplets) => sparse.fromTriplets(t.rows, t.columns, t.i, t.j, t.v);
const same = (m: sparse.SparseMatrix, expected: { indptr: number[]; indices: number[]; values: number[] }) => {
  const csr = sparse.toCsr(m);
  expect(Array.from(csr.indptr)).toEqual(expected.indptr);
  expect(Array.from(csr.indices)).toEqual(expected.indices);
  expectClose(csr.values, expected.values, { absolute: 5e-14 });
};

const a = build(fixtures.a);
const b = build(fixtures.b);
const c = build(fixtures.c);

describe("against scipy.sparse, in every format", () => {
  const forms: [string, (m: sparse.SparseMatrix) => sparse.SparseMatrix][] = [
    ["csr", sparse.toCsr],
    ["csc", sparse.toCsc],
    ["coo", sparse.toCoo],
  ];
  for (const [name, form] of forms) {
    it(`products, sums and slices of ${name}`, () => {
      expectClose(sparse.multiplyVector(form(a), fixtures.x), fixtures.ax, { absolute: 5e-14 });
      expectClose(sparse.multiplyTransposedVector(form(a), fixtures.y), fixtures.aty, { absolute: 5e-14 });
      expectClose(sparse.multiplyVector(sparse.transpose(form(a)), fixtures.y), fixtures.aty, { absolute: 5e-14 });
      same(sparse.multiply(form(a), form(b)), fixtures.ab);
      same(sparse.add(form(a), form(c), 2, -0.5), fixtures.sum);
      same(sparse.permute(form(a), fixtures.permutedRows, fixtures.permutedColumns), fixtures.permuted);
      same(sparse.sliceColumns(sparse.sliceRows(form(a), 2, 9), 3, -1), fixtures.slice);
      same(sparse.vstack([form(a), form(c)]), fixtures.vstack);
      same(sparse.hstack([form(a), form(c)]), fixtures.hstack);
      same(
        sparse.kron(
          sparse.sliceColumns(sparse.sliceRows(form(b), 0, 3), 0, 4),
          sparse.sliceColumns(sparse.sliceRows(form(a), 0, 2), 0, 5),
        ),
        fixtures.kron,
      );
      expectClose(sparse.toDense(form(a)), sparse.toDense(a), { absolute: 5e-14 });
    });

    it(`norms and triangular solves of ${name}`, () => {
      for (const [key, order] of [
        ["1", 1],
        ["2", 2],
        ["inf", Number.POSITIVE_INFINITY],
      ] as const) {
        expectClose(sparse.rowNorms(form(a), order), fixtures.rowNorms[key], { absolute: 5e-14 });
        expectClose(sparse.columnNorms(form(a), order), fixtures.columnNorms[key], { absolute: 5e-14 });
      }
      expect(sparse.frobeniusNorm(form(a))).toBeCloseTo(fixtures.frobenius, 13);
      const lower = form(build(fixtures.lower));
      expectClose(sparse.triangularSolve(lower, fixtures.rhs), fixtures.lowerSolution, { absolute: 5e-12 });
      expectClose(sparse.triangularSolve(lower, fixtures.rhs, { transposed: true }), fixtures.transposedSolution, {
        absolute: 5e-12,
      });
      const upper = sparse.transpose(lower);
      expectClose(sparse.triangularSolve(upper, fixtures.rhs, { lower: false }), fixtures.transposedSolution, {
        absolute: 5e-12,
      });
      const back = sparse.triangularSolve(upper, fixtures.rhs, { lower: false, transposed: true });
      expectClose(back, fixtures.lowerSolution, { absolute: 5e-12 });
    });
  }

  it("MatrixMarket texts that scipy wrote", () => {
    for (const [name, { text, dense }] of Object.entries(fixtures.market) as [
      string,
      { text: string; dense: number[] },
    ][]) {
      if (name === "complex") {
        expect(() => sparse.parseMatrixMarket(text)).toThrow(UnsupportedError);
        continue;
      }
      const content = sparse.parseMatrixMarket(text);
      const values = content.format === "array" ? content.matrix.values : sparse.toDense(content.matrix);
      expect(Array.from(values)).toEqual(dense);
    }
  });
});

const entry = fc.integer({ min: -4, max: 4 });
const denseMatrix = (rows: number, columns: number) =>
  fc.array(
    fc.array(fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, entry), { minLength: columns, maxLength: columns }),
    {
      minLength: rows,
      maxLength: rows,
    },
  );
const extent = fc.integer({ min: 1, max: 7 });
const pair = fc
  .tuple(extent, extent, extent)
  .chain(([m, k, n]) => fc.tuple(denseMatrix(m, k), denseMatrix(k, n), denseMatrix(m, k)));
const seeded = { seed: 5, numRuns: 150 };

function denseProduct(x: number[][], y: number[][]): number[] {
  return x.flatMap((row) => y[0].map((_, j) => row.reduce((sum, v, k) => sum + v * y[k][j], 0)));
}

describe("against dense arithmetic on integers (exact)", () => {
  it("products, sums, Gram matrices", () => {
    fc.assert(
      fc.property(pair, ([x, y, z]) => {
        const [sx, sy, sz] = [sparse.fromDense(x), sparse.fromDense(y), sparse.fromDense(z)];
        const expected = denseProduct(x, y).map((v) => v + 0);
        const plain = (v: Float64Array) => Array.from(v, (u) => u + 0);
        expect(plain(sparse.toDense(sparse.multiply(sx, sy)))).toEqual(expected);
        expect(plain(sparse.toDense(sparse.multiply(sparse.toCsc(sx), sparse.toCsc(sy))))).toEqual(expected);
        expect(plain(sparse.multiplyDense(sx, y).values)).toEqual(expected);
        expect(plain(sparse.denseMultiply(x, sy).values)).toEqual(expected);
        expect(plain(sparse.multiplyDense(sparse.toCsc(sx), y).values)).toEqual(expected);
        const transposed = x[0].map((_, j) => x.map((row) => row[j]));
        expect(plain(sparse.multiplyTransposedDense(sx, z).values)).toEqual(
          denseProduct(transposed, z).map((v) => v + 0),
        );
        const weights = Float64Array.from(x, (_, i) => i - 1);
        const weighted = x.map((row, i) => row.map((v) => v * (i - 1)));
        expect(plain(sparse.toDense(sparse.gram(sx, weights)))).toEqual(
          denseProduct(transposed, weighted).map((v) => v + 0),
        );
        expect(plain(sparse.toDense(sparse.add(sx, sz, 1, 3)))).toEqual(
          x.flatMap((row, i) => row.map((v, j) => v + 3 * z[i][j])),
        );
        expect(plain(sparse.toDense(sparse.scaleRows(sparse.toCsc(sx), weights)))).toEqual(
          weighted.flat().map((v) => v + 0),
        );
      }),
      seeded,
    );
  });

  it("triplets in any order with duplicates sum", () => {
    const triplet = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 4 }), entry);
    fc.assert(
      fc.property(fc.array(triplet, { maxLength: 40 }), (list) => {
        const expected = new Float64Array(20);
        for (const [i, j, v] of list) expected[i * 5 + j] += v;
        const [i, j, v] = [0, 1, 2].map((k) => list.map((t) => t[k]));
        const csr = sparse.fromTriplets(4, 5, i, j, v);
        expect(sparse.toDense(csr)).toEqual(expected);
        expect(
          sparse.toDense(
            sparse.toCsc(new sparse.CooMatrix(4, 5, Int32Array.from(i), Int32Array.from(j), Float64Array.from(v))),
          ),
        ).toEqual(expected);
        // The checking constructor accepts what the builders make.
        expect(() => new sparse.CsrMatrix(4, 5, csr.indptr, csr.indices, csr.values)).not.toThrow();
        for (let r = 0; r < 4; r++)
          for (let s = 0; s < 5; s++) expect(sparse.entryAt(csr, r, s)).toBe(expected[r * 5 + s]);
      }),
      seeded,
    );
  });

  it("MatrixMarket text written and read again is the same matrix, bit for bit", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.double({ noNaN: true }), { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 5 }),
        (x) => {
          const m = sparse.fromDense(x);
          const again = sparse.parseMatrixMarket(sparse.formatMatrixMarket(m, { comment: "two\nlines" }));
          if (again.format !== "coordinate") throw new Error("format changed");
          expect(again.matrix.values).toEqual(m.values);
          expect(again.matrix.indices).toEqual(m.indices);
          const dense = sparse.parseMatrixMarket(sparse.formatMatrixMarket(x));
          if (dense.format !== "array") throw new Error("format changed");
          expect(Array.from(dense.matrix.values, (v) => v + 0)).toEqual(x.flat().map((v) => v + 0));
        },
      ),
      seeded,
    );
  });
});

describe("structure", () => {
  it("identity, diagonals, blocks and repeats", () => {
    expect(Array.from(sparse.toDense(sparse.identity(2)))).toEqual([1, 0, 0, 1]);
    expect(Array.from(sparse.toDense(sparse.diagonal([1, 2], -1)))).toEqual([0, 0, 0, 1, 0, 0, 0, 2, 0]);
    expect(
      Array.from(
        sparse.diagonalOf(
          sparse.fromDense([
            [5, 1, 0],
            [2, 0, 3],
          ]),
        ),
      ),
    ).toEqual([5, 0]);
    const blocks = sparse.block([
      [sparse.identity(2), null],
      [null, sparse.fromDense([[7, 8]])],
    ]);
    expect(Array.from(sparse.toDense(blocks))).toEqual([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 7, 8]);
    const repeated = sparse.submatrix(
      sparse.fromDense([
        [1, 2],
        [3, 4],
      ]),
      [1, 1, 0],
      [1, 0, 1],
    );
    expect(Array.from(sparse.toDense(repeated))).toEqual([4, 3, 4, 4, 3, 4, 2, 1, 2]);
    expect(sparse.prune(sparse.fromTriplets(1, 3, [0, 0, 0], [0, 1, 2], [0, 1e-9, 1]), 1e-6).entries).toBe(1);
  });

  it("tensors are taken as vectors and matrices", () => {
    const m = sparse.fromDense(
      tensor([
        [1, 0],
        [0, 2],
      ]),
    );
    expect(Array.from(sparse.multiplyVector(m, tensor([3, 4])))).toEqual([3, 8]);
    expect(sparse.multiplyDense(m, tensor([[1], [1]]))).toEqual({ shape: [2, 1], values: Float64Array.of(1, 2) });
  });

  it("out is used and returned", () => {
    const out = new Float64Array(12);
    expect(sparse.multiplyVector(a, fixtures.x, out)).toBe(out);
  });

  it("symmetric text stores one triangle, and refuses a matrix that is not so", () => {
    const s = sparse.fromDense([
      [2, -1],
      [-1, 3],
    ]);
    const text = sparse.formatMatrixMarket(s, { symmetry: "symmetric" });
    expect(text).toBe("%%MatrixMarket matrix coordinate real symmetric\n2 2 3\n1 1 2\n2 1 -1\n2 2 3\n");
    expect(() =>
      sparse.formatMatrixMarket(
        sparse.fromDense([
          [0, 1],
          [2, 0],
        ]),
        { symmetry: "symmetric" },
      ),
    ).toThrow(ValueError);
    expect(() =>
      sparse.formatMatrixMarket(
        sparse.fromDense([
          [0, 1],
          [0, 0],
        ]),
        { symmetry: "skew-symmetric" },
      ),
    ).toThrow(ValueError);
    expect(
      sparse.formatMatrixMarket(
        [
          [0, -1],
          [1, 0],
        ],
        { symmetry: "skew-symmetric" },
      ),
    ).toContain("2 2\n1\n");
  });
});

describe("wrong input", () => {
  it("constructors name what is wrong", () => {
    const [i, v] = [Int32Array.of(0, 1), Float64Array.of(1, 2)];
    expect(() => new sparse.CsrMatrix(2, 2, Int32Array.of(0, 2), i, v)).toThrow(ShapeError);
    expect(() => new sparse.CsrMatrix(1, 2, Int32Array.of(0, 2), Int32Array.of(1, 0), v)).toThrow(/increase strictly/);
    expect(() => new sparse.CscMatrix(2, 1, Int32Array.of(0, 2), Int32Array.of(0, 2), v)).toThrow(IndexError);
    expect(() => sparse.fromTriplets(2, 2, [0, 2], [0, 0], [1, 1])).toThrow(IndexError);
    expect(() => sparse.fromTriplets(2, 2, [0, 0.5], [0, 0], [1, 1])).toThrow(/integer/);
    expect(() => sparse.fromTriplets(2, 2, [0], [0, 0], [1, 1])).toThrow(ShapeError);
    expect(() => sparse.fromDense([[1, 2], [3]])).toThrow(ShapeError);
    expect(() => sparse.identity(-1)).toThrow(ValueError);
  });

  it("operations name what is wrong", () => {
    expect(() => sparse.multiplyVector(a, [1, 2])).toThrow(/length 9, got 2/);
    expect(() => sparse.multiply(a, a)).toThrow(ShapeError);
    expect(() => sparse.add(a, b)).toThrow(ShapeError);
    expect(() => sparse.vstack([a, b])).toThrow(ShapeError);
    expect(() => sparse.sliceRows(a, 0, 13)).toThrow(IndexError);
    expect(() => sparse.selectRows(a, [12])).toThrow(IndexError);
    expect(() => sparse.permute(a, fixtures.permutedColumns, fixtures.permutedRows)).toThrow(ValueError);
    expect(() =>
      sparse.triangularSolve(
        sparse.fromDense([
          [1, 0],
          [1, 0],
        ]),
        [1, 1],
      ),
    ).toThrow(/singular/);
    expect(() => sparse.triangularSolve(a, fixtures.x)).toThrow(ShapeError);
  });

  const header = "%%MatrixMarket matrix coordinate real general\n";
  it.each([
    ["no header", "1 1 1\n1 1 1\n", 1],
    ["empty", "", 0],
    ["unknown field", "%%MatrixMarket matrix coordinate quaternion general\n1 1 1\n", 1],
    ["pattern array", "%%MatrixMarket matrix array pattern general\n1 1\n", 1],
    ["bad sizes", `${header}2 2\n`, 2],
    ["negative size", `${header}-2 2 1\n1 1 1\n`, 2],
    ["truncated", `${header}% comment\n2 2 3\n1 1 1.5\n2 2 2.5\n`, 5],
    ["cut inside an entry", `${header}2 2 2\n1 1 1.5\n2 2`, 4],
    ["row outside", `${header}2 2 1\n3 1 1.5\n`, 3],
    ["index zero", `${header}2 2 1\n0 1 1.5\n`, 3],
    ["not a number", `${header}2 2 1\n1 1 1.5x\n`, 3],
    ["too many", `${header}2 2 1\n1 1 1\n2 2 1\n`, 4],
    ["upper entry of a symmetric matrix", `${header.replace("general", "symmetric")}2 2 1\n1 2 1\n`, 3],
    ["symmetric but not square", `${header.replace("general", "symmetric")}2 3 1\n1 1 1\n`, 2],
    ["fraction in an integer matrix", `${header.replace("real", "integer")}2 2 1\n1 1 1.5\n`, 3],
    ["a size line that lies", "%%MatrixMarket matrix array real general\n2000000000 2000000000\n1\n", 2],
  ])("MatrixMarket text: %s", (_, text, line) => {
    try {
      sparse.parseMatrixMarket(text);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
      expect((error as FormatError).offset).toBe(line);
    }
  });
});
