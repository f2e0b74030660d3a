import { matmul, random, transpose } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { type CodeKind, cyclicCode, DecodeError } from "../src/index.js";

/** All subsets of 0..n-1 with so many elements. */
function subsets(n: number, size: number, from = 0): number[][] {
  if (size === 0) return [[]];
  const all: number[][] = [];
  for (let k = from; k <= n - size; k++) for (const rest of subsets(n, size - 1, k + 1)) all.push([k, ...rest]);
  return all;
}

const others = (n: number, missing: readonly number[]) =>
  Array.from({ length: n }, (_, k) => k).filter((k) => !missing.includes(k));

function existing(n: number, s: number): CodeKind[] {
  const kinds: CodeKind[] = ["cyclic"];
  if (n % (s + 1) === 0) kinds.push("fractional");
  if ((n - s) % 2 === 1) kinds.push("mds");
  return kinds;
}

describe("gradient codes", () => {
  it("any n - s workers determine the sum of the chunks, for every set of survivors up to n = 7", () => {
    let [decoded, worst] = [0, 0];
    for (let n = 1; n <= 7; n++) {
      for (let s = 0; s < n; s++) {
        for (const kind of existing(n, s)) {
          const code = cyclicCode(n, s, { kind });
          const B = code.matrix.data();
          for (let gone = 0; gone <= s; gone++) {
            for (const missing of subsets(n, gone)) {
              const weights = code.decode(others(n, missing));
              for (let j = 0; j < n; j++) {
                let sum = 0;
                for (let i = 0; i < n; i++) sum += weights[i] * B[i * n + j];
                worst = Math.max(worst, Math.abs(sum - 1));
              }
              for (const worker of missing) worst = Math.max(worst, Math.abs(weights[worker]));
              decoded += 1;
            }
          }
        }
      }
    }
    expect(decoded).toBeGreaterThan(700);
    expect(worst).toBeLessThan(1e-7);
  });

  it("fewer survivors are an error", () => {
    for (const [n, s] of [
      [5, 1],
      [6, 2],
      [7, 3],
    ]) {
      for (const kind of existing(n, s).filter((each) => each !== "fractional")) {
        const code = cyclicCode(n, s, { kind });
        for (const missing of subsets(n, s + 1)) expect(() => code.decode(others(n, missing))).toThrow(DecodeError);
      }
    }
    expect(() => cyclicCode(6, 2, { kind: "fractional" }).decode([3, 4, 5])).toThrow(DecodeError);
  });

  it("a worker's row has the support of its chunks, and as the matrix of a random code the vanishing products", () => {
    const [n, s] = [9, 3];
    for (const kind of ["cyclic"] as const) {
      const code = cyclicCode(n, s, { kind, seed: 5 });
      const rows = code.matrix.toArray() as number[][];
      for (let i = 0; i < n; i++) {
        const { chunks, factors } = code.row(i);
        expect(chunks).toEqual([i, (i + 1) % n, (i + 2) % n, (i + 3) % n]);
        rows[i].forEach((value, j) => {
          expect(value).toBe(chunks.includes(j) ? factors[chunks.indexOf(j)] : 0);
        });
      }
      // The rows span a space of n - s dimensions: there are s independent H with H B^T = 0.
      const gram = matmul(code.matrix, transpose(code.matrix)).toArray() as number[][];
      expect(rank(gram)).toBe(n - s);
    }
  });

  it("without stragglers the code is the identity; with n - 1 any one worker is enough", () => {
    expect(cyclicCode(4, 0).matrix.toArray()).toEqual([
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ]);
    const code = cyclicCode(5, 4);
    for (let worker = 0; worker < 5; worker++) {
      const weights = code.decode([worker]);
      expectClose(matmul(weights, code.matrix), [1, 1, 1, 1, 1], 1e-9);
    }
  });

  it("of all weights those of least norm are taken", () => {
    const code = cyclicCode(6, 2, { seed: 1 });
    const least = code.decode([0, 1, 2, 3, 4, 5]);
    const fewer = code.decode([0, 2, 3, 5]);
    const norm = (w: Float64Array) => w.reduce((sum, x) => sum + x * x, 0);
    expect(norm(least)).toBeLessThanOrEqual(norm(fewer));
  });

  it("256 workers of which 15 are slow keep eight digits; the same seed gives the same code", () => {
    const code = cyclicCode(256, 15, { seed: 2 });
    const rng = random.rng(3);
    for (let k = 0; k < 3; k++) {
      const missing = Array.from(rng.permutation(256).data().slice(0, 15));
      const product = matmul(code.decode(others(256, missing)), code.matrix).data();
      expect(Math.max(...Array.from(product, (x) => Math.abs(x - 1)))).toBeLessThan(1e-6);
    }
    expect(cyclicCode(12, 3, { seed: 2 }).matrix.data()).toEqual(cyclicCode(12, 3, { seed: 2 }).matrix.data());
    expect(cyclicCode(12, 3, { seed: 2 }).matrix.data()).not.toEqual(cyclicCode(12, 3, { seed: 3 }).matrix.data());
  });

  it("refuses what does not exist", () => {
    expect(() => cyclicCode(4, 4)).toThrow(/stragglers is 4; it must be an integer from 0 to 3/);
    expect(() => cyclicCode(4, 1, { kind: "block" as never })).toThrow(/kind is "block"/);
    expect(() => cyclicCode(5, 1, { kind: "fractional" })).toThrow(/to divide workers = 5/);
    expect(() => cyclicCode(5, 1, { kind: "mds" })).toThrow(/to be odd/);
    expect(() => cyclicCode(4, 1).decode([0, 9])).toThrow(/survivors is 9/);
    expect(() => cyclicCode(4, 1).row(4)).toThrow(/worker is 4/);
  });
});

/** Pivots of a small matrix that are not rounding. */
function rank(matrix: number[][]): number {
  const rows = matrix.map((row) => [...row]);
  let found = 0;
  for (let column = 0; column < rows.length; column++) {
    let pivot = found;
    for (let i = found; i < rows.length; i++) if (Math.abs(rows[i][column]) > Math.abs(rows[pivot][column])) pivot = i;
    if (found === rows.length || Math.abs(rows[pivot][column]) < 1e-8) continue;
    [rows[found], rows[pivot]] = [rows[pivot], rows[found]];
    for (let i = found + 1; i < rows.length; i++) {
      const factor = rows[i][column] / rows[found][column];
      for (let j = column; j < rows.length; j++) rows[i][j] -= factor * rows[found][j];
    }
    found += 1;
  }
  return found;
}
