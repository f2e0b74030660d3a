import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Cones, fullToSvec, projectCone, smat, svec, svecIndex, svecLength, svecToFull } from "../src/index.js";

const cones: Cones = { z: 1, l: 2, q: [1, 4], s: [1, 2, 5, 5, 3] };
const rows = 1 + 2 + 1 + 4 + 1 + 3 + 15 + 15 + 6;
const vectors = fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: rows, maxLength: rows });
const dot = (x: ArrayLike<number>, y: ArrayLike<number>) => Array.from(x).reduce((sum, v, i) => sum + v * y[i], 0);

describe("projectCone", () => {
  it("is idempotent, and the rest is in the polar cone and orthogonal (Moreau)", () => {
    fc.assert(
      fc.property(vectors, vectors, (v, other) => {
        const p = projectCone(v, cones);
        const again = projectCone(p, cones);
        for (let i = 0; i < rows; i++) expect(again[i]).toBeCloseTo(p[i], 10);
        const rest = v.map((value, i) => value - p[i]);
        expect(dot(rest, p)).toBeCloseTo(0, 8);
        expect(dot(rest, projectCone(other, cones))).toBeLessThanOrEqual(1e-8);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it("of a second-order cone is right where squares leave the range of numbers", () => {
    const plain = projectCone([-1, 3, 4], { q: [3] });
    for (const size of [1e-300, 1e-200, 1e-150, 1e150, 1e200, 1e300]) {
      const scaled = projectCone([-size, 3 * size, 4 * size], { q: [3] });
      for (let i = 0; i < 3; i++) expect(scaled[i] / size / plain[i]).toBeCloseTo(1, 12);
    }
  });

  it("drops negative eigenvalues, whichever sign has more of them, and for large blocks too", () => {
    for (const [n, shift] of [
      [6, 2],
      [6, -2],
      [48, 3],
      [48, -3],
      [48, 100],
      [48, -100],
    ]) {
      const matrix = new Float64Array(n * n);
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) matrix[i * n + j] = Math.sin(i + j + i * j) + (i === j ? shift : 0);
      const p = smat(projectCone(svec(matrix, n), { s: [n] }), n);
      // P is a projection iff P and P - A are positive semidefinite and P (P - A) = 0.
      const q = p.map((v, k) => v - matrix[k]);
      let product = 0;
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let k = 0; k < n; k++) sum += p[i * n + k] * q[k * n + j];
          product = Math.max(product, Math.abs(sum));
        }
      }
      expect(product).toBeLessThan(1e-9 * Math.max(1, shift * shift));
    }
  });
});

describe("svec", () => {
  const matrix = [1, 2, 3, 2, 5, 6, 3, 6, 9];

  it("takes the lower triangle by columns with sqrt 2 off the diagonal", () => {
    const r = Math.SQRT2;
    expect(Array.from(svec(matrix, 3))).toEqual([1, 2 * r, 3 * r, 5, 6 * r, 9]);
    expect(svecIndex(2, 1, 3)).toBe(4);
    expect(() => svecIndex(0, 1, 2)).toThrow("svecIndex: j is 1; it must be an integer from 0 to 0");
    expect(() => svecIndex(2, 0, 2)).toThrow("svecIndex: i is 2; it must be an integer from 0 to 1");
    expect(svecLength(3)).toBe(6);
  });

  it("keeps inner products and is inverted by smat", () => {
    const other = [1, 0, -1, 0, 2, 4, -1, 4, 3];
    expect(dot(svec(matrix, 3), svec(other, 3))).toBeCloseTo(dot(matrix, other), 12);
    const back = smat(svec(matrix, 3), 3);
    for (let k = 0; k < 9; k++) expect(back[k]).toBeCloseTo(matrix[k], 14);
  });

  it("converts to CVXOPT's full vectors and back, reading their lower triangle", () => {
    const full = svecToFull(svec(matrix, 3), 3);
    for (let k = 0; k < 9; k++) expect(full[k]).toBeCloseTo(matrix[k], 14);
    // Column by column: places 1, 2 and 5 are the lower triangle; the upper one is not looked at.
    expect(Array.from(fullToSvec([1, 2, 3, 99, 5, 6, 99, 99, 9], 3))).toEqual(Array.from(svec(matrix, 3)));
  });
});
