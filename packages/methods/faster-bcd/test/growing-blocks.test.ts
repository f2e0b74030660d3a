import { random, sparse, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { bcd, leastSquares, quadratic } from "../src/index.js";
import { normals } from "./problems.js";

describe("without a size, blocks of composite gs-q grow with the support", () => {
  /** The part of F by which F may exceed its least value, from the residual scaled into the dual's feasible set. */
  function relativeGap(A: Float64Array, y: Float64Array, n: number, lambda: number, x: Float64Array): number {
    const m = y.length;
    const residual = y.map((v, i) => v - x.reduce((sum, xj, j) => sum + A[i * n + j] * xj, 0));
    let steepest = 0;
    for (let j = 0; j < n; j++) {
      steepest = Math.max(steepest, Math.abs(residual.reduce((sum, r, i) => sum + A[i * n + j] * r, 0)));
    }
    const scale = Math.min(1, lambda / steepest);
    let [primal, dual] = [lambda * x.reduce((sum, v) => sum + Math.abs(v), 0), 0];
    for (let i = 0; i < m; i++) {
      primal += 0.5 * residual[i] ** 2;
      dual += 0.5 * y[i] ** 2 - 0.5 * (y[i] - scale * residual[i]) ** 2;
    }
    return (primal - dual) / primal;
  }

  it.each([
    ["more columns than rows", 40, 160, 0],
    ["more rows than columns", 160, 60, 0],
    ["columns that nearly repeat each other", 40, 160, 0.9],
  ] as const)("%s: a path of penalties, each to a duality gap of 1e-10", async (_name, m, n, correlation) => {
    const rng = random.rng(`growing/${m}/${n}/${correlation}`);
    const A = Float64Array.from(normals(rng, m * n));
    for (let p = 0; p < m * n; p++) {
      if (p % n > 0) A[p] = correlation * A[p - 1] + Math.sqrt(1 - correlation ** 2) * A[p];
    }
    const y = Float64Array.from(normals(rng, m));
    const smooth = leastSquares(tensor(A, { shape: [m, n] }), y);
    const most = Float64Array.from(smooth.gradient(new Float64Array(n))).reduce(
      (largest, v) => Math.max(largest, Math.abs(v)),
      0,
    );
    let initial: Float64Array = new Float64Array(n);
    for (const share of [0.5, 0.1, 0.02, 0.004]) {
      const lambda = share * most;
      const composite = { kind: "l1", lambda } as const;
      const { x, status, history } = await bcd({ smooth, composite }, { initial, tolerance: 1e-11 });
      expect(status).toBe("converged");
      // Blocks of five take hundreds.
      expect(history.length).toBeLessThanOrEqual(12);
      let free = initial.reduce((count, v) => count + (v === 0 ? 0 : 1), 0);
      for (const { blockSize, support } of history) {
        expect(blockSize).toBeLessThanOrEqual(Math.max(30, 2 * free));
        free = support;
      }
      initial = x.data() as Float64Array;
      expect(relativeGap(A, y, n, lambda, initial)).toBeLessThan(1e-10);
    }
  });

  it("and stay small where steps are of the first order", async () => {
    const smooth = quadratic(sparse.identity(40), new Float64Array(40).fill(3));
    const composite = { kind: "l1", lambda: 1 } as const;
    expect((await bcd({ smooth, composite })).history[0].blockSize).toBe(30);
    expect((await bcd({ smooth, composite }, { update: "pg" })).history[0].blockSize).toBe(5);
  });
});
