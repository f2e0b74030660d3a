import { sorSync, ssorConjugateGradientsSync, ssorSync } from "@offprint/solvers";
import { linalg, matmul, random, sparse, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { gridLaplacian } from "../claims/grid.js";
import reference from "./fixtures/reference.json" with { type: "json" };
import { farthest, strictLower } from "./matrices.js";

const A = gridLaplacian(6);
const n = 36;
const b = Float64Array.from(reference.counts.b);

describe("the solvers whose iteration count is the loss", () => {
  it("count what SciPy's triangular solves count", () => {
    for (const { omega, shift, ...counts } of reference.counts.cases) {
      const options = { omega, shift, tolerance: 1e-8 };
      expect(sorSync(A, b, options).iterations).toBe(counts.sor);
      expect(ssorSync(A, b, options).iterations).toBe(counts.ssor);
      expect(ssorConjugateGradientsSync(A, b, options).iterations).toBe(counts.cg);
    }
  });

  it("SOR with omega = 1 is Gauss-Seidel", () => {
    const x = new Float64Array(n);
    const dense = sparse.toDense(A);
    for (let sweep = 1; sweep <= 5; sweep++) {
      for (let i = 0; i < n; i++) {
        let sum = b[i]!;
        for (let j = 0; j < n; j++) if (j !== i) sum -= dense[i * n + j]! * x[j]!;
        x[i] = sum / dense[i * n + i]!;
      }
      expect(farthest(sorSync(A, b, { omega: 1, maxIterations: sweep }).x, x)).toBeLessThan(1e-14);
    }
  });

  it("a symmetric sweep is x += M^-1 (b - A x) with M = omega / (2 - omega) (D / omega + L) D^-1 (D / omega + L)^T", () => {
    const omega = 1.4;
    const factor = strictLower(A).add(multipleOfIdentity(4 / omega));
    const M = matmul(matmul(factor, multipleOfIdentity((0.25 * omega) / (2 - omega))), factor.transpose());
    expect(farthest(M.data(), M.transpose().data())).toBeLessThan(1e-14);
    const start = random.rng(1).normal([n], { dtype: "float64" });
    const residual = tensor(b).sub(matmul(tensor(sparse.toDense(A), { shape: [n, n] }), start));
    const expected = start.add(linalg.solve(M, residual));
    const { x } = ssorSync(A, b, { omega, maxIterations: 1, initial: start });
    expect(farthest(x, expected.data())).toBeLessThan(1e-13);
  });

  it("CG applies M_omega^-1 as the dense inverse does, in both orders: its first step goes along M^-1 b", () => {
    const omega = 1.3;
    const factor = strictLower(A).mul(omega).add(multipleOfIdentity(4));
    for (const order of ["lower-first", "upper-first"] as const) {
      const [left, right] = order === "lower-first" ? [factor, factor.transpose()] : [factor.transpose(), factor];
      const M = matmul(left, right).mul(1 / (4 * omega * (2 - omega)));
      expect(farthest(M.data(), M.transpose().data())).toBeLessThan(1e-14);
      const direction = linalg.solve(M, tensor(b)).data() as Float64Array;
      const { x } = ssorConjugateGradientsSync(A, b, { omega, order, maxIterations: 1 });
      const length = x[7]! / direction[7]!;
      expect(
        farthest(
          x,
          direction.map((v) => length * v),
        ),
      ).toBeLessThan(1e-13);
    }
  });

  it("CG with it solves what Cholesky solves, to 1e-8, in both orders", () => {
    const exact = sparse.cholesky(A).solve(b);
    for (const order of ["lower-first", "upper-first"] as const) {
      const { x } = ssorConjugateGradientsSync(A, b, { omega: 1.3, order, tolerance: 1e-10 });
      expect(farthest(x, exact)).toBeLessThan(1e-8);
    }
  });

  it("counts do not change with the scale of b, or of A and b together", () => {
    const scaled = sparse.scale(A, 37);
    for (const solve of [sorSync, ssorSync, ssorConjugateGradientsSync]) {
      const options = { omega: 1.5, tolerance: 1e-8 };
      const { iterations } = solve(A, b, options);
      const larger = b.map((v) => 1e6 * v);
      expect(solve(A, larger, options).iterations).toBe(iterations);
      expect(solve(scaled, larger, options).iterations).toBe(iterations);
    }
  });
});

function multipleOfIdentity(value: number) {
  return tensor(sparse.toDense(sparse.diagonal(new Float64Array(n).fill(value))), { shape: [n, n] });
}
