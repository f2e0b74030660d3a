import { ShapeError, sparse } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { conjugateGradientsSync, geometricMultigrid } from "../src/index.js";
import { secondDifferences } from "./sparse-matrices.js";

/** Laplacian on a grid of any dimension, with zero beyond. */
function laplacian(extents: readonly number[]): sparse.CsrMatrix {
  const along = (k: number) =>
    extents.reduce<sparse.SparseMatrix>(
      (product, n, j) => sparse.kron(product, j === k ? secondDifferences(n) : sparse.identity(n)),
      sparse.identity(1),
    );
  return sparse.toCsr(extents.map((_, k) => along(k)).reduce((sum, a) => sparse.add(sum, a)));
}

const wave = (n: number) => Float64Array.from({ length: n }, (_, i) => Math.sin(7 * i + 1));
const norm = (x: Float64Array) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));
const residual = (a: sparse.CsrMatrix, x: Float64Array, b: Float64Array) =>
  norm(sparse.multiplyVector(a, x).map((v, i) => b[i] - v));

describe("geometricMultigrid", () => {
  for (const grid of [[63, 63], [64, 64], [40, 100], [15, 16, 17], [200]]) {
    it(`divides the residual by more than three a cycle on [${grid}]`, () => {
      const a = laplacian(grid);
      const b = wave(a.rows);
      const { cycle, sizes } = geometricMultigrid(a, { grid });
      expect(sizes.at(-1)).toBeLessThanOrEqual(64);
      const x = new Float64Array(a.rows);
      for (let k = 0; k < 8; k++) cycle(x, b);
      expect(residual(a, x, b)).toBeLessThan(3 ** -8 * norm(b));
    });
  }

  it("takes as many cycles on fine grids as on coarse ones", () => {
    const counts = [15, 31, 63, 127].map((side) => {
      const a = laplacian([side, side]);
      const b = wave(a.rows);
      const { cycle } = geometricMultigrid(a, { grid: [side, side] });
      const x = new Float64Array(a.rows);
      let cycles = 0;
      for (; residual(a, x, b) > 1e-8 * norm(b); cycles++) cycle(x, b);
      return cycles;
    });
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(3);
    expect(Math.max(...counts)).toBeLessThanOrEqual(12);
  });

  it("is symmetric, and makes conjugate gradients converge in a few iterations", () => {
    const a = laplacian([30, 31]);
    const { apply } = geometricMultigrid(a, { grid: [30, 31] });
    const [u, v] = [wave(930), wave(930).reverse()];
    const [mu, mv] = [new Float64Array(930), new Float64Array(930)];
    apply(u, mu);
    apply(v, mv);
    const dot = (x: Float64Array, y: Float64Array) => x.reduce((sum, value, i) => sum + value * y[i], 0);
    expect(Math.abs(dot(mu, v) - dot(u, mv))).toBeLessThan(1e-11);
    const solved = conjugateGradientsSync(a, u, { preconditioner: apply, tolerance: 1e-10 });
    expect(solved.status).toBe("converged");
    expect(solved.iterations).toBeLessThan(15);
  });

  it("leaves points outside of the domain at zero", () => {
    const a = laplacian([20, 20]);
    const solid = (i: number) => (Math.floor(i / 20) - 10) ** 2 + ((i % 20) - 9) ** 2 < 16;
    const fluid = Float64Array.from({ length: 400 }, (_, i) => (solid(i) ? 0 : 1));
    const masked = sparse.toCsr(sparse.scaleColumns(sparse.scaleRows(a, fluid), fluid));
    const b = wave(400).map((v, i) => v * fluid[i]);
    const { cycle } = geometricMultigrid(masked, { grid: [20, 20] });
    const x = new Float64Array(400);
    for (let k = 0; k < 30; k++) cycle(x, b);
    expect(residual(masked, x, b)).toBeLessThan(1e-6 * norm(b));
    expectClose(Array.from(x.filter((_, i) => solid(i))), new Array(x.filter((_, i) => solid(i)).length).fill(0), 0);
  });

  it("refuses a grid that does not fit, and what is not positive definite", () => {
    const a = laplacian([8, 8]);
    expect(() => geometricMultigrid(a, { grid: [8, 7] })).toThrow(ShapeError);
    expect(() => geometricMultigrid(a, { grid: [8, 8], sweeps: 0 })).toThrow(/sweeps is 0/);
    expect(() => geometricMultigrid(sparse.scale(a, -1), { grid: [8, 8] })).toThrow(/diagonal entry 0 is -4/);
  });
});
