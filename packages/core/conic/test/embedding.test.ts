import { linalg, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { equilibrate } from "../src/equilibration.js";
import { checkProblem } from "../src/problem.js";
import { Embedding, Evaluation } from "../src/splitting/embedding.js";
import { problems } from "./problems.js";

describe("the root for tau", () => {
  it("is linear where P = 0: t = max(0, (d eta + h^T p) / (d + h^T g))", () => {
    const problem = checkProblem(problems[0].problem);
    const scaled = equilibrate(problem, true);
    const { n, m } = scaled;
    const size = n + m;
    const embedding = new Embedding(scaled, 1.5, 0.1);
    const R = [...new Array<number>(n).fill(1e-6), ...embedding.Ry];
    const A = Array.from({ length: m }, () => new Array<number>(n).fill(0));
    const { indptr, indices, values } = scaled.A as NonNullable<typeof scaled.A>;
    for (let j = 0; j < n; j++) for (let p = indptr[j]; p < indptr[j + 1]; p++) A[indices[p]][j] = values[p];
    const system = Array.from({ length: size }, (_, i) =>
      Array.from({ length: size }, (_, j) => {
        if (i === j) return R[i];
        if (i < n && j >= n) return A[j - n][i];
        if (i >= n && j < n) return -A[i - n][j];
        return 0;
      }),
    );
    const solve = (r: number[]): number[] =>
      Array.from(linalg.solve(tensor(system, { dtype: "float64" }), tensor(Float64Array.from(r))).data());
    const h = [...scaled.c, ...scaled.b];
    const dot = (x: number[], y: number[]) => x.reduce((sum, v, i) => sum + v * y[i], 0);
    const g = solve(h);
    for (let seed = 0; seed < 20; seed++) {
      const w = Float64Array.from({ length: size + 1 }, (_, i) => Math.sin(1 + 2.3 * i + 5.1 * seed + i * seed));
      const p = solve(R.map((v, i) => v * w[i]));
      const t = Math.max(0, (10 * w[size] + dot(h, p)) / (10 + dot(h, g)));
      const evaluation = new Evaluation(size + 1);
      embedding.evaluate(w, evaluation);
      expect((evaluation.r[size] + w[size]) / 2).toBeCloseTo(t, 9);
    }
  });
});
