import { ShapeError, sparse, ValueError } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { conjugateGradientsSync, incompleteCholesky } from "../src/index.js";
import { grid, tridiagonal } from "./sparse-matrices.js";

const b = (n: number) => Float64Array.from({ length: n }, (_, i) => Math.sin(3 * i + 1));

describe("incompleteCholesky", () => {
  it("is exact where the factor has no fill", () => {
    const a = tridiagonal(12, 2.5, -1);
    const { apply, factor, shift } = incompleteCholesky(a);
    const x = new Float64Array(12);
    apply(b(12), x);
    expectClose(sparse.multiplyVector(a, x), b(12), 1e-13);
    expect(shift).toBe(0);
    const product = sparse.toDense(sparse.multiply(factor, sparse.transpose(factor)));
    expectClose(Array.from(product), Array.from(sparse.toDense(a)), 1e-14);
  });

  it("agrees with A where A has entries, and nowhere has more", () => {
    const a = grid(6);
    const { factor } = incompleteCholesky(a);
    const product = sparse.multiply(factor, sparse.transpose(factor));
    for (let i = 0; i < 36; i++) {
      for (let p = a.indptr[i]; p < a.indptr[i + 1]; p++) {
        expect(Math.abs(sparse.entryAt(product, i, a.indices[p]) - a.values[p])).toBeLessThan(1e-14);
      }
      expect(factor.indptr[i + 1] - factor.indptr[i]).toBeLessThanOrEqual(3);
    }
  });

  it("is symmetric and leaves its argument alone", () => {
    const { apply } = incompleteCholesky(grid(5));
    const [u, v] = [b(25), b(25).reverse()];
    const [mu, mv] = [new Float64Array(25), new Float64Array(25)];
    apply(u, mu);
    apply(v, mv);
    const dot = (x: Float64Array, y: Float64Array) => x.reduce((s, value, i) => s + value * y[i], 0);
    expect(Math.abs(dot(mu, v) - dot(u, mv))).toBeLessThan(1e-14);
    expect(u).toEqual(b(25));
  });

  it("takes a third of the iterations of conjugate gradients on a grid", () => {
    const a = grid(32);
    const plain = conjugateGradientsSync(a, b(1024), { tolerance: 1e-8 });
    const { apply } = incompleteCholesky(a);
    const preconditioned = conjugateGradientsSync(a, b(1024), { tolerance: 1e-8, preconditioner: apply });
    expect(preconditioned.status).toBe("converged");
    expect(preconditioned.iterations).toBeLessThan(0.4 * plain.iterations);
    expectClose(Array.from(preconditioned.x), Array.from(plain.x), 1e-5);
  });

  it("leaves rows of zeros as they are", () => {
    const a = sparse.fromTriplets(3, 3, [0, 0, 2, 2], [0, 2, 0, 2], [4, -1, -1, 4]);
    const { apply } = incompleteCholesky(a);
    const z = new Float64Array(3);
    apply(Float64Array.of(3, 7, 3), z);
    expectClose(Array.from(z), [1, 7, 1], 1e-15);
  });

  it("adds part of the diagonal where a pivot is not positive, as in Kershaw's example", () => {
    const kershaw = [
      [3, -2, 0, 2],
      [-2, 3, -2, 0],
      [0, -2, 3, -2],
      [2, 0, -2, 3],
    ]; // prettier-ignore
    const a = sparse.fromDense(kershaw);
    const { apply, shift } = incompleteCholesky(a);
    expect(shift).toBeGreaterThan(0);
    const solved = conjugateGradientsSync(a, [1, 2, 3, 4], { preconditioner: apply });
    expectClose(Array.from(sparse.multiplyVector(a, solved.x)), [1, 2, 3, 4], 1e-8);
    expect(() => incompleteCholesky(a, { attempts: 0 })).toThrow(/a pivot is not positive/);
  });

  it("refuses what is not positive definite at first sight", () => {
    expect(() => incompleteCholesky(sparse.fromDense([[1, 2, 3]]))).toThrow(ShapeError);
    expect(() =>
      incompleteCholesky(
        sparse.fromDense([
          [-1, 0],
          [0, 1],
        ]),
      ),
    ).toThrow(/diagonal entry 0 is -1/); // prettier-ignore
    expect(() => incompleteCholesky(sparse.fromDense([[Number.NaN]]))).toThrow(ValueError);
    expect(() => incompleteCholesky(grid(2), { shift: -1 })).toThrow(/shift is -1/);
  });
});
