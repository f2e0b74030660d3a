import { describe, expect, it } from "vitest";
import { ValueError } from "../src/errors.js";
import {
  cholesky,
  choleskyInverse,
  eigh,
  eigvalsh,
  lu,
  qr,
  setKernels,
  svd,
  triangularSolve,
} from "../src/kernels/index.js";
import fixtures from "./fixtures/kernels.json" with { type: "json" };
import {
  distance,
  identity,
  orthogonality,
  product,
  randomArray,
  sizes,
  transpose,
  withBoth,
} from "./kernels-inputs.js";

const orders = sizes.filter((n) => n > 0);

function symmetric(seed: number, n: number): Float64Array {
  const a = randomArray(seed, n * n);
  return a.map((_, i) => a[i]! + a[(i % n) * n + Math.floor(i / n)]!);
}

function positiveDefinite(seed: number, n: number): Float64Array {
  const a = randomArray(seed, n * n);
  const p = product(n, n, n, a, transpose(a, n, n));
  for (let i = 0; i < n; i++) p[i * n + i]! += 1;
  return p;
}

function hilbert(n: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, i) => 1 / (Math.floor(i / n) + (i % n) + 1));
}

function largest(a: ArrayLike<number>): number {
  return Array.from(a).reduce((m, x) => Math.max(m, Math.abs(x)), 0);
}

function scaledColumns(a: ArrayLike<number>, rows: number, s: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: rows * s.length }, (_, i) => a[i]! * s[i % s.length]!);
}

/** Every order up to 70, and orders on both sides of where blocks end. */
const blockOrders = [...Array.from({ length: 71 }, (_, n) => n), 127, 128, 129, 131, 256, 261];

describe("WebAssembly kernels give what plain loops give, at every order", () => {
  const both = <R>(f: () => R): [R, R] => {
    setKernels("wasm");
    const fast = f();
    setKernels("js");
    return [fast, f()];
  };

  it.each(blockOrders)("factor, inverse and solutions at order %i", (n) => {
    const a = positiveDefinite(n, n);
    const [fast, plain] = both(() => cholesky(a, n));
    expect(fast.failedPivot).toBe(-1);
    expect(distance(fast.factor, plain.factor)).toBeLessThanOrEqual(1e-12 * largest(plain.factor));
    const [inverse, plainInverse] = both(() => {
      const x = plain.factor.slice();
      choleskyInverse(x, n);
      return x;
    });
    expect(distance(inverse, plainInverse)).toBeLessThan(1e-12 * Math.max(1, largest(plainInverse)));
    // A triangle with 2 on its diagonal: well conditioned at every order.
    const scale = n * largest(plain.factor);
    const triangle = plain.factor.map((x, i) => (i % n === Math.floor(i / n) ? 2 : x / scale));
    const columns = n === 131 ? 515 : (n % 7) + 1;
    const b = randomArray(n + 1, n * columns);
    for (const transposed of [false, true]) {
      const [x, y] = both(() => triangularSolve(triangle, n, b, columns, { lower: true, transpose: transposed }));
      expect(distance(x, y)).toBeLessThan(1e-13);
    }
  });

  it("the pivot that fails, in every block", () => {
    const n = 261;
    const whole = positiveDefinite(n, n);
    for (const bad of [0, 3, 4, 126, 127, 128, 129, 255, 256, 260]) {
      for (const value of [-1, 0, Number.NaN, Number.POSITIVE_INFINITY]) {
        const a = whole.slice();
        a[bad * n + bad] = value;
        expect(both(() => cholesky(a, n).failedPivot)).toEqual([bad, bad]);
      }
    }
  });
});

withBoth((mode) => {
  it("entries whose squares underflow leave the factors orthogonal", () => {
    setKernels(mode);
    for (const tiny of [2.2e-162, 1e-158, 1e-140, 1e-30]) {
      const a = new Float64Array(25);
      a[5] = a[1] = -7.2e-4;
      a[15] = a[3] = tiny;
      a[20] = a[4] = tiny;
      a[19] = a[23] = tiny;
      const { values, vectors } = eigh(a, 5);
      expect(orthogonality(vectors, 5, 5)).toBeLessThan(1e-14);
      expect(values[4]).toBeCloseTo(7.2e-4, 15);
      const { q } = qr(a, 5, 5);
      expect(orthogonality(q, 5, 5)).toBeLessThan(1e-14);
    }
  });

  it("Cholesky factors multiply to the matrix and ignore its upper triangle", () => {
    setKernels(mode);
    for (const n of orders) {
      const a = positiveDefinite(n, n);
      const dirty = a.map((x, i) => (i % n > Math.floor(i / n) ? Number.NaN : x));
      const { factor, failedPivot } = cholesky(dirty, n);
      expect(failedPivot).toBe(-1);
      expect(distance(product(n, n, n, factor, transpose(factor, n, n)), a)).toBeLessThan(1e-14 * n * largest(a));
    }
    expect(cholesky(new Float64Array(0), 0).failedPivot).toBe(-1);
  });

  it("Cholesky names the pivot that fails", () => {
    setKernels(mode);
    for (const bad of [0, 1, 30, 40, 69]) {
      const n = 70;
      const a = positiveDefinite(3, n);
      a[bad * n + bad] = -1;
      expect(cholesky(a, n).failedPivot).toBe(bad);
      a[bad * n + bad] = Number.NaN;
      expect(cholesky(a, n).failedPivot).toBe(bad);
    }
    expect(cholesky(hilbert(12), 12).failedPivot).toBe(-1);
  });

  it("the inverse from a Cholesky factor is exactly symmetric and ignores its upper triangle", () => {
    setKernels(mode);
    for (const n of orders) {
      const a = positiveDefinite(n, n);
      const { factor } = cholesky(a, n);
      const inverse = factor.map((x, i) => (i % n > Math.floor(i / n) ? Number.NaN : x));
      choleskyInverse(inverse, n);
      expect(distance(product(n, n, n, inverse, a), identity(n))).toBeLessThan(1e-13 * n * largest(a));
      expect([...inverse]).toEqual([...transpose(inverse, n, n)]);
    }
    choleskyInverse(new Float64Array(0), 0);
  });

  it("triangular systems are solved in all eight forms", () => {
    setKernels(mode);
    for (const n of orders) {
      for (const columns of [1, 2, 5, 33]) {
        // Large on the diagonal, NaN where nothing may be read.
        const full = randomArray(n, n * n).map((x, i) => (i % n === Math.floor(i / n) ? 2 + x : x / n));
        for (const lower of [true, false]) {
          for (const transposeA of [true, false]) {
            for (const unitDiagonal of [true, false]) {
              const keep = (i: number, j: number) => (i === j ? !unitDiagonal : lower ? j < i : j > i);
              const clean = full.map((x, p) => {
                const [i, j] = [Math.floor(p / n), p % n];
                return keep(i, j) ? x : i === j ? 1 : 0;
              });
              const dirty = full.map((x, p) => (keep(Math.floor(p / n), p % n) ? x : Number.NaN));
              const x = randomArray(n + 7, n * columns);
              const b = product(n, columns, n, transposeA ? transpose(clean, n, n) : clean, x);
              const solved = triangularSolve(dirty, n, b, columns, { lower, transpose: transposeA, unitDiagonal });
              expect(distance(solved, x)).toBeLessThan(1e-12);
            }
          }
        }
      }
    }
  });

  it("LU factors multiply to the permuted matrix, for tall, square and wide ones", () => {
    setKernels(mode);
    for (const rows of orders) {
      for (const columns of [1, 2, 7, 40, 65]) {
        const a = randomArray(rows * 3 + columns, rows * columns);
        const { factors, order, sign, singularAt } = lu(a, rows, columns);
        expect(singularAt).toBe(-1);
        const k = Math.min(rows, columns);
        const l = Float64Array.from({ length: rows * k }, (_, p) => {
          const [i, j] = [Math.floor(p / k), p % k];
          return i === j ? 1 : j < i ? factors[i * columns + j]! : 0;
        });
        const u = Float64Array.from({ length: k * columns }, (_, p) =>
          p % columns >= Math.floor(p / columns) ? factors[p]! : 0,
        );
        const permuted = Float64Array.from({ length: rows * columns }, (_, p) => {
          return a[order[Math.floor(p / columns)]! * columns + (p % columns)]!;
        });
        expect(distance(product(rows, columns, k, l, u), permuted)).toBeLessThan(1e-13);
        expect(largest(l)).toBeLessThanOrEqual(1);
        let inversions = 0;
        for (let i = 0; i < rows; i++) for (let j = 0; j < i; j++) if (order[j]! > order[i]!) inversions++;
        expect(sign).toBe(inversions % 2 === 0 ? 1 : -1);
      }
    }
  });

  it("LU of a singular matrix says where", () => {
    setKernels(mode);
    expect(lu(Float64Array.of(1, 2, 2, 4), 2, 2).singularAt).toBe(1);
    expect(lu(new Float64Array(9), 3, 3).singularAt).toBe(0);
    expect(lu(Float64Array.of(Number.NaN), 1, 1).singularAt).toBe(0);
  });

  it("QR: orthonormal columns, upper triangle, product", () => {
    setKernels(mode);
    for (const rows of orders) {
      for (const columns of [1, 2, 7, 40, 65]) {
        const a = randomArray(rows + columns, rows * columns);
        const { q, r } = qr(a, rows, columns);
        const k = Math.min(rows, columns);
        expect(orthogonality(q, rows, k)).toBeLessThan(1e-14 * (k + 5));
        for (let i = 0; i < k; i++) for (let j = 0; j < Math.min(i, columns); j++) expect(r[i * columns + j]).toBe(0);
        expect(distance(product(rows, columns, k, q, r), a)).toBeLessThan(1e-14 * (k + 5));
      }
    }
  });

  it("eigh: ascending values, orthonormal vectors, small residual", () => {
    setKernels(mode);
    for (const n of orders) {
      const a = symmetric(n, n);
      const dirty = a.map((x, i) => (i % n > Math.floor(i / n) ? 123 : x));
      const { values, vectors } = eigh(dirty, n);
      expect([...values]).toEqual([...values].sort((x, y) => x - y));
      expect(orthogonality(vectors, n, n)).toBeLessThan(1e-14 * (n + 5));
      const residual = distance(product(n, n, n, a, vectors), scaledColumns(vectors, n, values));
      expect(residual).toBeLessThan(1e-13 * largest(values));
      expect(distance(eigvalsh(dirty, n), values)).toBeLessThan(1e-13 * largest(values));
    }
  });

  it("eigh of diagonal, repeated, extreme and tiny matrices", () => {
    setKernels(mode);
    expect([...eigh(Float64Array.of(3, 0, 0, 0, -1, 0, 0, 0, 2), 3).values]).toEqual([-1, 2, 3]);
    expect([...eigvalsh(new Float64Array(400), 20)]).toEqual(new Array(20).fill(0));
    const ones = eigvalsh(new Float64Array(1600).fill(1), 40);
    expect(ones[39]).toBeCloseTo(40, 12);
    expect(largest(ones.subarray(0, 39))).toBeLessThan(1e-13);
    for (const scale of [1e-300, 1e300]) {
      const { values } = eigh(
        Float64Array.of(2, 1, 1, 2).map((x) => x * scale),
        2,
      );
      expect(values[0]! / scale).toBeCloseTo(1, 13);
      expect(values[1]! / scale).toBeCloseTo(3, 13);
    }
    expect(() => eigh(Float64Array.of(1, Number.NaN, Number.NaN, 1), 2)).toThrow(ValueError);
    expect(eigh(new Float64Array(0), 0).values.length).toBe(0);
  });

  it("svd: orthonormal factors, descending values, product; tall, square and wide", () => {
    setKernels(mode);
    for (const [rows, columns] of [
      [1, 1],
      [1, 5],
      [5, 1],
      [2, 2],
      [3, 7],
      [7, 3],
      [17, 17],
      [63, 20],
      [20, 65],
      [64, 64],
      [129, 30],
    ] as const) {
      const a = randomArray(rows * columns, rows * columns);
      const { u, s, vt } = svd(a, rows, columns);
      const k = Math.min(rows, columns);
      expect([...s]).toEqual([...s].sort((x, y) => y - x));
      expect(orthogonality(u, rows, k)).toBeLessThan(2e-14 * (k + 5));
      expect(orthogonality(transpose(vt, k, columns), columns, k)).toBeLessThan(2e-14 * (k + 5));
      expect(distance(product(rows, columns, k, scaledColumns(u, rows, s), vt), a)).toBeLessThan(1e-14 * (k + 10));
    }
  });

  it("svd completes an orthonormal basis where the matrix has no full rank", () => {
    setKernels(mode);
    const n = 20;
    for (const a of [new Float64Array(n * n), new Float64Array(n * n).fill(1)]) {
      const { u, s, vt } = svd(a, n, n);
      expect(orthogonality(u, n, n)).toBeLessThan(1e-13);
      expect(orthogonality(transpose(vt, n, n), n, n)).toBeLessThan(1e-13);
      expect(distance(product(n, n, n, scaledColumns(u, n, s), vt), a)).toBeLessThan(1e-13);
    }
    expect(() => svd(Float64Array.of(Number.POSITIVE_INFINITY), 1, 1)).toThrow(ValueError);
  });

  it("svd keeps small singular values of a matrix with badly scaled columns", () => {
    setKernels(mode);
    const n = 12;
    const q = qr(randomArray(4, n * n), n, n).q;
    const scales = Float64Array.from({ length: n }, (_, i) => 10 ** (-2 * i));
    const { s } = svd(scaledColumns(q, n, scales), n, n);
    for (let i = 0; i < n; i++) expect(Math.abs(s[i]! / scales[i]! - 1)).toBeLessThan(1e-13);
  });

  it("svd of ill-conditioned and of numerically rank-deficient matrices", () => {
    setKernels(mode);
    const n = 10;
    const { u, s, vt } = svd(hilbert(n), n, n);
    expect(orthogonality(u, n, n)).toBeLessThan(1e-13);
    expect(orthogonality(transpose(vt, n, n), n, n)).toBeLessThan(1e-13);
    expect(distance(product(n, n, n, scaledColumns(u, n, s), vt), hilbert(n))).toBeLessThan(1e-15);
    const values = eigvalsh(hilbert(n), n);
    for (let i = 0; i < n; i++) expect(Math.abs(s[i]! - values[n - 1 - i]!)).toBeLessThan(2e-15);

    const [rows, columns, rank] = [60, 50, 7];
    const low = product(rows, columns, rank, randomArray(1, rows * rank), randomArray(2, rank * columns));
    const thin = svd(low, rows, columns);
    expect(orthogonality(thin.u, rows, columns)).toBeLessThan(1e-12);
    expect(orthogonality(transpose(thin.vt, columns, columns), columns, columns)).toBeLessThan(1e-12);
    expect(thin.s[rank - 1]).toBeGreaterThan(0.1);
    expect(thin.s[rank]).toBeLessThan(1e-13);
  });

  it("agree with NumPy and SciPy", () => {
    setKernels(mode);
    const {
      n,
      rows,
      symmetric: a,
      general,
      eigenvalues,
      singularValues,
      hilbertEigenvalues,
      choleskyFactor,
    } = fixtures.linalg;
    expect(distance(eigvalsh(Float64Array.from(a), n), eigenvalues)).toBeLessThan(1e-13);
    expect(distance(svd(Float64Array.from(general), rows, n).s, singularValues)).toBeLessThan(1e-13);
    expect(distance(eigvalsh(hilbert(n), n), hilbertEigenvalues)).toBeLessThan(1e-15);
    const { factor } = cholesky(product(n, n, rows, transpose(general, rows, n), general), n);
    expect(distance(factor, choleskyFactor)).toBeLessThan(1e-12);
  });

  it("float32 matrices are solved in float64 and rounded", () => {
    setKernels(mode);
    const n = 24;
    const a = new Float32Array(positiveDefinite(2, n));
    const wide = Float64Array.from(a);
    expect(cholesky(a, n).factor).toEqual(new Float32Array(cholesky(wide, n).factor));
    expect(eigvalsh(a, n)).toEqual(new Float32Array(eigvalsh(wide, n)));
    expect(svd(a, n, n).s).toBeInstanceOf(Float32Array);
    expect(qr(a, n, n).r).toBeInstanceOf(Float32Array);
    expect(triangularSolve(a, n, a, n, { lower: true })).toBeInstanceOf(Float32Array);
  });
});

describe("WebAssembly and plain JavaScript", () => {
  it("give the same factors to 1e-12", () => {
    const n = 65;
    const a = positiveDefinite(8, n);
    const both = <T>(run: () => T): [T, T] => {
      setKernels("js");
      const js = run();
      setKernels("wasm");
      const wasm = run();
      setKernels("auto");
      return [js, wasm];
    };
    const scale = largest(a);
    const results = [
      both(() => cholesky(a, n).factor),
      both(() => lu(a, n, n).factors),
      both(() => qr(a, n, n).r),
      both(() => eigvalsh(a, n)),
      both(() => svd(a, n, n).s),
    ];
    for (const [js, wasm] of results) expect(distance(js, wasm)).toBeLessThan(1e-12 * scale);
  });
});
