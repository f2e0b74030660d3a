import { largestDifference } from "@offprint/claims";
import { linalg, sparse, tensor } from "@offprint/tensor-core";
import { readFixture } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  type BcdOptions,
  bcd,
  type Composite,
  labelPropagation,
  leastSquares,
  logistic,
  softmaxRegression,
} from "../src/index.js";
import { all } from "./problems.js";

const reference = readFixture<any>(import.meta.url, "reference.json");
const A: number[][] = reference.A;
const least = leastSquares(A, reference.y);

describe("solutions of SciPy, scikit-learn and PyTorch", async () => {
  const problems: [string, Composite, number[]][] = [
    ["scipy.optimize.nnls", { kind: "nonneg" }, reference.nnls],
    ["scipy.optimize.lsq_linear", { kind: "box", lower: -0.3, upper: 0.4 }, reference.box],
    ["sklearn Lasso", { kind: "l1", lambda: reference.lasso.lambda }, reference.lasso.x],
  ];
  const ways: BcdOptions[] = [
    { update: "pn" },
    { update: "pn", blocks: "sort" },
    { update: "tmp" },
    { update: "pg", blocks: "avg", rule: "cyclic" },
    { update: "lipschitz-approx", rule: "perm" },
    { update: "pn", rule: "random" },
  ];
  it.each(problems)("%s", async (_name, composite, x) => {
    for (const way of ways) {
      const found = await bcd(
        { smooth: least, composite },
        { blockSize: 4, maxIterations: 200_000, tolerance: 1e-12, ...way },
      );
      expect(found.status).toBe("converged");
      expect(largestDifference(found.x.data(), x)).toBeLessThan(1e-8);
      // The other solvers leave rounding errors where ours puts exact zeros and bounds.
      expect(Array.from(found.support)).toEqual(
        [...x.keys()].filter((i) => {
          const [low, high] = composite.kind === "box" ? [-0.3, 0.4] : [0, composite.kind === "l1" ? 0 : Infinity];
          return Math.abs(x[i] - low) > 1e-9 && Math.abs(x[i] - high) > 1e-9;
        }),
      );
    }
  });

  it("Newton's method on logistic regression, its value, gradient and Hessian", async () => {
    const { labels, x, value, at, valueAt, gradientAt, hessianAt } = reference.logistic;
    const objective = logistic(
      A.map((row) => row.slice(0, 4)),
      labels,
    );
    const point = Float64Array.from(at as number[]);
    expect(objective.value(point)).toBeCloseTo(valueAt, 11);
    expect(largestDifference(objective.gradient(point), gradientAt)).toBeLessThan(1e-11);
    expect(largestDifference(objective.blockHessian?.(point, all(4)) as Float64Array, hessianAt)).toBeLessThan(1e-11);
    for (const update of ["newton", "matrix", "gradient"] as const) {
      const found = await bcd(
        { smooth: objective },
        { blockSize: 2, update, maxIterations: 100_000, tolerance: 1e-10 },
      );
      expect(largestDifference(found.x.data(), x)).toBeLessThan(1e-8);
      expect(found.objective).toBeCloseTo(value, 11);
    }
  });

  it("the value, gradient and Hessian of cross-entropy", () => {
    const { labels, at, valueAt, gradientAt, hessianAt } = reference.softmax;
    const objective = softmaxRegression(
      A.map((row) => row.slice(0, 4)),
      labels,
      3,
    );
    const point = Float64Array.from(at as number[]);
    expect(objective.value(point)).toBeCloseTo(valueAt, 11);
    expect(largestDifference(objective.gradient(point), gradientAt)).toBeLessThan(1e-11);
    expect(largestDifference(objective.blockHessian?.(point, all(12)) as Float64Array, hessianAt)).toBeLessThan(1e-11);
  });

  it("a sparse direct solution of label propagation", async () => {
    const { edges, weights, labelled, values, x } = reference.labels;
    const [from, to] = [0, 1].map((end) => (edges as number[][]).map((edge) => edge[end]));
    const W = sparse.fromTriplets(36, 36, [...from, ...to], [...to, ...from], [...weights, ...weights]);
    const smooth = labelPropagation(W, new Map((labelled as number[]).map((node, k) => [node, values[k]])));
    for (const options of [
      { blocks: "greedy-tree" },
      { blocks: "tree-partition" },
      { blocks: "red-black" },
      { blockSize: 6, rule: "gsq" },
    ] as BcdOptions[]) {
      const found = await bcd({ smooth }, { maxIterations: 3000, tolerance: 1e-11, ...options });
      expect(found.status).toBe("converged");
      expect(largestDifference(found.x.data(), x)).toBeLessThan(1e-9);
    }
  });
});

it("one variable at a time and all at once reach the same point", async () => {
  const H = least.blockBound?.(all(12)) as Float64Array;
  const exact = linalg
    .solve(tensor(H, { shape: [12, 12] }), tensor(Float64Array.from(least.gradient(new Float64Array(12)), (v) => -v)))
    .data();
  for (const blockSize of [1, 12]) {
    const { x } = await bcd({ smooth: least }, { blockSize, maxIterations: 1e6, tolerance: 1e-11 });
    expect(largestDifference(x.data(), exact)).toBeLessThan(1e-8);
  }
});
