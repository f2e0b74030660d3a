import { largestDifference } from "@offprint/claims";
import { grad, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { readFixture } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { approximateSparsity, assignment, costMatrix, sinkhornNewtonSparse, wasserstein1d } from "../src/index.js";
import { assignmentProblem } from "./problems.js";

const fixtures = readFixture<any>(import.meta.url, "pot.json");

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, k) => permutations(items.filter((_, at) => at !== k)).map((rest) => [item, ...rest]));
}

describe("the assignment solver", () => {
  it("finds the best of all permutations", () => {
    for (const [seed, n] of [
      [0, 1],
      [1, 2],
      [2, 4],
      [3, 6],
      [4, 7],
    ]) {
      const { cost } = assignmentProblem(seed, n);
      const C = cost.data();
      const costs = permutations(Array.from({ length: n }, (_, i) => i)).map((columns) =>
        columns.reduce((total, j, i) => total + C[i * n + j], 0),
      );
      expect(assignment(cost).cost).toBeCloseTo(Math.min(...costs), 13);
    }
  });

  it("agrees with SciPy, also with spare columns, and proves it by its prices", () => {
    for (const { cost, columns, value } of fixtures.assignment) {
      const found = assignment(cost);
      expect([...found.columns]).toEqual(columns);
      expect(found.cost).toBeCloseTo(value, 13);
      for (const [i, row] of (cost as number[][]).entries()) {
        for (const [j, c] of row.entries()) expect(c - found.x[i] - found.y[j]).toBeGreaterThan(-1e-14);
        expect(row[columns[i]] - found.x[i] - found.y[columns[i]]).toBeCloseTo(0, 13);
      }
      expect(found.x.reduce((a, b) => a + b, 0) + found.y.reduce((a, b) => a + b, 0)).toBeCloseTo(value, 13);
    }
  });
});

describe("transport on the line", () => {
  it("agrees with POT", () => {
    for (const { p, a, b, r, c, value } of fixtures.line) {
      const cost = wasserstein1d({ positions: a, masses: r }, { positions: b, masses: c }, p);
      expect(cost).toBeCloseTo(value, 12);
    }
  });

  it("is exact for moved masses, and lets empty places be", () => {
    expect(wasserstein1d({ positions: [0, 1] }, { positions: [3, 2] }, 2)).toBe(4);
    const masses = [0, 0.5, 0, 0.5, 0];
    expect(wasserstein1d({ positions: [9, 0, 7, 2, 8], masses }, { positions: [0, 2] })).toBe(0);
    expect(wasserstein1d({ positions: [1, 0], masses: [0.5, 0.5] }, { positions: [0, 5], masses: [1, 0] })).toBe(0.5);
  });

  it("is the lower bound of regularised costs", async () => {
    const { a, b, r, c, value } = fixtures.line[0];
    const { cost } = await sinkhornNewtonSparse({ cost: costMatrix(a, b, "l1"), r, c }, { eta: 200 });
    expect(cost).toBeGreaterThanOrEqual(value - 1e-14);
    expect(cost - value).toBeLessThan(Math.log(a.length) / 200);
  });
});

it("very weak regularisation gives the exact cost of POT's emd", async () => {
  for (const { cost, r, c, value } of fixtures.exact) {
    const result = await sinkhornNewtonSparse({ cost, r, c }, { eta: 1e5 });
    expect(result.status).toBe("converged");
    expect(result.cost).toBeGreaterThanOrEqual(value - 1e-14);
    expect(result.cost).toBeCloseTo(value, 6);
  }
});

describe("cost matrices", () => {
  const { a, b, sqeuclidean, euclidean, cityblock } = fixtures.distances;

  it("agree with POT's", () => {
    for (const [metric, expected] of [
      ["sqeuclidean", sqeuclidean],
      ["euclidean", euclidean],
      ["l1", cityblock],
    ] as const) {
      expect(largestDifference(costMatrix(a, b, metric).data(), expected.flat())).toBeLessThan(1e-13);
    }
    const own = costMatrix(a, b, (p, q) => sum(p.sub(q).mul(p.sub(q))));
    expect(largestDifference(own.data(), sqeuclidean.flat())).toBeLessThan(1e-13);
  });

  it("take numbers on a line, and differentiate, also at distance 0", () => {
    expect(costMatrix([0, 1], [3], "l1").toArray()).toEqual([[3], [2]]);
    const gradient = grad((p: Tensor) => sum(costMatrix(p, [[0, 0]], "euclidean")))(
      tensor(
        [
          [3, 4],
          [0, 0],
        ],
        { dtype: "float64" },
      ),
    );
    expect(largestDifference(gradient.data(), [0.6, 0.8, 0, 0])).toBeLessThan(1e-15);
  });
});

it("approximate sparsity is the fraction of entries that hold all mass but eps", () => {
  const plan = [
    [0.5, 0.001],
    [0.0005, 0.4985],
  ];
  expect([0, 0.0004, 0.0005, 0.002, 0.6].map((eps) => approximateSparsity(plan, eps))).toEqual([1, 1, 0.75, 0.5, 0.25]);
});
