import { afterEach, describe } from "vitest";
import { type FloatArray, setKernels } from "../src/kernels/index.js";

/** Seeded numbers in [-1, 1): a 32-bit multiplicative generator, enough to fill test matrices. */
export function randomSource(seed: number): () => number {
  let state = (seed * 2654435761 + 12345) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 31 - 1;
  };
}

export function randomArray(seed: number, size: number): Float64Array {
  const next = randomSource(seed);
  return Float64Array.from({ length: size }, next);
}

export const sizes = [0, 1, 2, 3, 5, 7, 17, 63, 64, 65, 129];

export const arrayTypes = [Float32Array, Float64Array] as const;

/** How far results may lie apart, relative to their scale. */
export function tolerance(array: FloatArray): number {
  return array instanceof Float32Array ? 1e-5 : 1e-12;
}

/** Largest difference of two arrays. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    if (!Object.is(x, y)) largest = Math.max(largest, Math.abs(x - y) || (x === y ? 0 : Number.POSITIVE_INFINITY));
  }
  return largest;
}

/** Product of row-major matrices in the plainest way. */
export function product(m: number, n: number, k: number, a: ArrayLike<number>, b: ArrayLike<number>): Float64Array {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      for (let p = 0; p < k; p++) c[i * n + j]! += a[i * k + p]! * b[p * n + j]!;
    }
  }
  return c;
}

export function transpose(a: ArrayLike<number>, rows: number, columns: number): Float64Array {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = a[i * columns + j]!;
  return out;
}

export function identity(n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) out[i * n + i] = 1;
  return out;
}

/** Largest deviation of the columns of Q[rows, k] from orthonormality. */
export function orthogonality(q: ArrayLike<number>, rows: number, k: number): number {
  return distance(product(k, k, rows, transpose(q, rows, k), q), identity(k));
}

/** Runs the same tests with each implementation. */
export function withBoth(body: (mode: "js" | "wasm") => void): void {
  for (const mode of ["js", "wasm"] as const) {
    describe(`in ${mode}`, () => {
      afterEach(() => setKernels("auto"));
      body(mode);
    });
  }
}
