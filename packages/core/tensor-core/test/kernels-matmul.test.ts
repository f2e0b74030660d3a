import { describe, expect, it } from "vitest";
import { wasmRuntime } from "../src/kernels/engine.js";
import {
  congruence,
  type MatrixView,
  matmul,
  matmulBatched,
  rowMajor,
  rowProducts,
  setKernels,
  transposed,
} from "../src/kernels/index.js";
import { arrayTypes, distance, product, randomArray, sizes, tolerance, transpose, withBoth } from "./kernels-inputs.js";

withBoth((mode) => {
  for (const ArrayType of arrayTypes) {
    const name = ArrayType.name;

    it(`${name}: the product of every pair of odd sizes equals the triple loop`, () => {
      setKernels(mode);
      for (const m of sizes) {
        for (const n of sizes.filter((size) => size % 2 === 1 || size < 64)) {
          const k = sizes[(m + n) % sizes.length]!;
          const a = new ArrayType(randomArray(m + 1, m * k));
          const b = new ArrayType(randomArray(n + 100, k * n));
          const c = new ArrayType(m * n).fill(7);
          matmul(m, n, k, rowMajor(a, k), rowMajor(b, n), rowMajor(c, n));
          expect(distance(c, product(m, n, k, a, b))).toBeLessThan(tolerance(c) * Math.sqrt(k + 1));
        }
      }
    });

    it(`${name}: strides, offsets and transposition are read where they say`, () => {
      setKernels(mode);
      const [m, n, k] = [19, 23, 31];
      const a = new ArrayType(randomArray(1, m * k));
      const b = new ArrayType(randomArray(2, k * n));
      const expected = product(m, n, k, a, b);
      const layouts = (values: typeof a, rows: number, columns: number): MatrixView[] => {
        const spaced = new ArrayType(5 + rows * columns * 6);
        const padded = new ArrayType(3 + rows * (columns + 4));
        for (let i = 0; i < rows; i++) {
          for (let j = 0; j < columns; j++) {
            spaced[5 + i * columns * 6 + j * 3] = values[i * columns + j]!;
            padded[3 + i * (columns + 4) + j] = values[i * columns + j]!;
          }
        }
        return [
          transposed(rowMajor(new ArrayType(transpose(values, rows, columns)), rows)),
          { data: spaced, offset: 5, rowStride: columns * 6, columnStride: 3 },
          { data: padded, offset: 3, rowStride: columns + 4, columnStride: 1 },
        ];
      };
      for (const left of layouts(a, m, k)) {
        for (const right of layouts(b, k, n)) {
          const c = new ArrayType(2 + m * (n + 3)).fill(9);
          matmul(m, n, k, left, right, { data: c, offset: 2, rowStride: n + 3, columnStride: 1 });
          const inside = Float64Array.from({ length: m * n }, (_, i) => c[2 + Math.floor(i / n) * (n + 3) + (i % n)]!);
          expect(distance(inside, expected)).toBeLessThan(tolerance(c) * 6);
          expect([c[0], c[1], c[2 + n], c[c.length - 1]]).toEqual([9, 9, 9, 9]);
        }
      }
    });

    it(`${name}: a reversed operand (negative stride) works`, () => {
      setKernels(mode);
      const a = new ArrayType(randomArray(5, 12));
      const b = new ArrayType(randomArray(6, 20));
      const c = new ArrayType(15);
      matmul(3, 5, 4, { data: a, offset: 11, rowStride: -4, columnStride: -1 }, rowMajor(b, 5), rowMajor(c, 5));
      expect(distance(c, product(3, 5, 4, a.slice().reverse(), b))).toBeLessThan(tolerance(c));
    });

    it(`${name}: accumulate adds to what is there`, () => {
      setKernels(mode);
      for (const [m, n, k] of [
        [1, 9, 4],
        [9, 1, 4],
        [6, 7, 40],
        [33, 30, 20],
      ] as const) {
        const a = new ArrayType(randomArray(1, m * k));
        const b = new ArrayType(randomArray(2, k * n));
        const c = new ArrayType(m * n).fill(3);
        matmul(m, n, k, rowMajor(a, k), rowMajor(b, n), rowMajor(c, n), true);
        expect(
          distance(
            c,
            product(m, n, k, a, b).map((x) => x + 3),
          ),
        ).toBeLessThan(tolerance(c) * 10);
      }
    });

    it(`${name}: blocks beyond 1024 rows, columns and depth join without a seam`, () => {
      setKernels(mode);
      for (const [m, n, k] of [
        [3, 5, 1500],
        [1030, 3, 4],
        [2, 1029, 3],
      ] as const) {
        const a = new ArrayType(randomArray(1, m * k));
        const b = new ArrayType(randomArray(2, k * n));
        const c = new ArrayType(m * n);
        matmul(m, n, k, rowMajor(a, k), rowMajor(b, n), rowMajor(c, n));
        expect(distance(c, product(m, n, k, a, b))).toBeLessThan(tolerance(c) * 40);
      }
    });
  }

  it("NaN and infinity reach exactly the elements that they should", () => {
    setKernels(mode);
    const n = 21;
    const a = randomArray(1, n * n);
    const b = randomArray(2, n * n);
    a[3 * n + 4] = Number.NaN;
    b[5 * n + 20] = Number.POSITIVE_INFINITY;
    const c = new Float64Array(n * n);
    matmul(n, n, n, rowMajor(a, n), rowMajor(b, n), rowMajor(c, n));
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        if (i === 3) expect(c[i * n + j]).toBeNaN();
        else if (j === 20) expect(Math.abs(c[i * n + j]!)).toBe(Number.POSITIVE_INFINITY);
        else expect(Number.isFinite(c[i * n + j])).toBe(true);
      }
    }
  });

  it("a congruence is the two products, from an offset and turned", () => {
    setKernels(mode);
    for (const n of [1, 3, 8, 20, 33]) {
      const size = n * n;
      const left = randomArray(n, size + 5);
      const v = randomArray(n + 1, size);
      const l = left.slice(5);
      for (const turned of [false, true]) {
        const factor = turned ? transpose(l, n, n) : l;
        const expected = product(n, n, n, product(n, n, n, factor, v), transpose(factor, n, n));
        const out = new Float64Array(size).fill(Number.NaN);
        congruence(left, 5, turned, v, n, out);
        expect(distance(out, expected)).toBeLessThan(1e-13 * n * n);
      }
    }
  });

  it("batches multiply matrix by matrix, also with one operand shared", () => {
    setKernels(mode);
    const [batch, m, n, k] = [4, 3, 5, 6];
    const a = randomArray(1, batch * m * k);
    const b = randomArray(2, batch * k * n);
    for (const [aStride, bStride] of [
      [m * k, k * n],
      [m * k, 0],
      [0, k * n],
      [0, 0],
    ] as const) {
      const c = new Float64Array(batch * m * n);
      const left = { ...rowMajor(a, k), batchStride: aStride };
      matmulBatched(batch, m, n, k, left, { ...rowMajor(b, n), batchStride: bStride }, { data: c, offset: 0 });
      for (let i = 0; i < batch; i++) {
        const expected = product(m, n, k, a.subarray(i * aStride), b.subarray(i * bStride));
        expect(distance(c.subarray(i * m * n, (i + 1) * m * n), expected)).toBeLessThan(1e-13);
      }
    }
  });
});

describe("memory", () => {
  it("is given back after a product that needs much of it", () => {
    setKernels("wasm");
    const runtime = wasmRuntime()!;
    runtime.withMemory(100 * 1024 * 1024, () => undefined);
    expect(runtime.memoryBytes).toBeLessThan(64 * 1024 * 1024);
    const c = new Float64Array(4);
    matmul(2, 2, 2, rowMajor(Float64Array.of(1, 2, 3, 4), 2), rowMajor(Float64Array.of(1, 0, 0, 1), 2), rowMajor(c, 2));
    expect([...c]).toEqual([1, 2, 3, 4]);
    setKernels("auto");
  });

  it("never grows: loops over all typed arrays of a process are slower once a buffer has been detached", () => {
    setKernels("wasm");
    const runtime = wasmRuntime()!;
    const buffers = [16, 20 * 1024 * 1024, 100 * 1024 * 1024, 16].map((bytes) =>
      runtime.withMemory(bytes, (_kernels, _base, buffer) => buffer),
    );
    for (const buffer of buffers) expect(buffer.byteLength).toBeGreaterThan(0);
    expect(buffers[2]!.byteLength).toBeGreaterThan(100 * 1024 * 1024);
    setKernels("auto");
  });
});

it("the products of a matrix's rows equal the triple loop at every number of rows and columns", () => {
  for (const m of sizes) {
    for (const n of sizes) {
      const a = randomArray(m + 1, m * n);
      const x = randomArray(n + 100, n);
      const out = new Float64Array(m).fill(7);
      rowProducts(a, x, out);
      expect(distance(out, product(m, 1, n, a, x))).toBeLessThan(tolerance(out) * Math.sqrt(n + 1));
    }
  }
});
