import { random, tensor } from "@offprint/tensor-core";
import { readFixture } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  assignment,
  costMatrix,
  type ExactTransportResult,
  exactTransport,
  type TransportProblem,
  wasserstein1d,
} from "../src/index.js";
import { assignmentProblem, randomProblem } from "./problems.js";

interface Exact {
  readonly cost: number[][];
  readonly r: number[];
  readonly c: number[];
  readonly value: number;
}
const fixtures = readFixture<{ exact: Exact[] }>(import.meta.url, "pot.json");

/** A plan with these marginals, and prices that prove it optimal: feasible, and tight where mass is moved. */
function expectOptimal(problem: TransportProblem, { plan, x, y, cost, status }: ExactTransportResult): void {
  expect(status).toBe("converged");
  const C = tensor(problem.cost, { dtype: "float64" }).data();
  const [n, m] = plan.shape;
  const [P, u, v] = [plan.data(), x.data(), y.data()];
  const masses = (given: unknown, size: number) =>
    given === undefined
      ? new Float64Array(size).fill(1 / size)
      : tensor(given as number[], { dtype: "float64" }).data();
  const [r, c] = [masses(problem.r, n), masses(problem.c, m)];
  const [rows, columns] = [new Float64Array(n), new Float64Array(m)];
  let total = 0;
  let moved = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      const p = P[i * m + j];
      const slack = C[i * m + j] - u[i] - v[j];
      expect(p).toBeGreaterThanOrEqual(0);
      expect(slack).toBeGreaterThan(-1e-12);
      if (p > 0) {
        expect(Math.abs(slack)).toBeLessThan(1e-12);
        moved++;
      }
      rows[i] += p;
      columns[j] += p;
      total += p * C[i * m + j];
    }
  }
  for (let i = 0; i < n; i++) expect(rows[i]).toBeCloseTo(r[i], 13);
  for (let j = 0; j < m; j++) expect(columns[j]).toBeCloseTo(c[j], 13);
  expect(moved).toBeLessThan(n + m);
  expect(cost).toBeCloseTo(total, 13);
}

describe("exact transport", () => {
  it("costs what POT's emd says", async () => {
    for (const { value, ...problem } of fixtures.exact) {
      const result = await exactTransport(problem);
      expect(result.cost).toBeCloseTo(value, 12);
      expectOptimal(problem, result);
    }
  });

  it("is proved by its prices: any masses, rectangular, from one place to many", async () => {
    for (const [seed, n, m] of [
      [0, 1, 1],
      [1, 1, 9],
      [2, 9, 1],
      [3, 2, 3],
      [4, 17, 11],
      [5, 40, 60],
      [6, 90, 90],
    ]) {
      const problem = randomProblem(seed, n, m);
      expectOptimal(problem, await exactTransport(problem));
    }
  });

  it("does not cycle where costs and masses tie", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const rng = random.rng(seed);
      const n = 2 + (seed % 7);
      const problem = { cost: rng.randint([n, n + (seed % 3)], { low: 0, high: 3 }) };
      expectOptimal(problem, await exactTransport(problem));
    }
    const equal = { cost: new Array(30).fill(new Array(30).fill(1)) };
    expect((await exactTransport(equal)).cost).toBeCloseTo(1, 14);
  });

  it("takes costs of any sign and size", async () => {
    for (const [factor, shift] of [
      [1, -5],
      [1e9, 0],
      [1e-9, 0],
      [-1, 0],
    ]) {
      const { cost, r, c } = randomProblem(9, 12, 15);
      const moved = cost.mul(factor).add(shift);
      const result = await exactTransport({ cost: moved, r, c });
      const [u, v, C, P] = [result.x.data(), result.y.data(), moved.data(), result.plan.data()];
      const scale = Math.abs(factor) + Math.abs(shift);
      for (let k = 0; k < C.length; k++) {
        const slack = (C[k] - u[Math.floor(k / 15)] - v[k % 15]) / scale;
        expect(slack).toBeGreaterThan(-1e-13);
        if (P[k] > 0) expect(Math.abs(slack)).toBeLessThan(1e-13);
      }
    }
  });

  it("of equal masses is the assignment", async () => {
    for (const seed of [0, 1, 2]) {
      const { cost } = assignmentProblem(seed, 60);
      const { plan, cost: value } = await exactTransport({ cost });
      const { columns, cost: best } = assignment(cost);
      expect(value).toBeCloseTo(best / 60, 13);
      for (let i = 0; i < 60; i++) expect(plan.data()[60 * i + columns[i]]).toBeCloseTo(1 / 60, 13);
    }
  });

  it("on the line is the closed form", async () => {
    const rng = random.rng(3);
    const [a, b] = [rng.normal([40], { dtype: "float64" }), rng.normal([55], { dtype: "float64" })];
    const { r, c } = randomProblem(2, 40, 55);
    const { cost } = await exactTransport({ cost: costMatrix(a, b, "l1"), r, c });
    const places = (positions: typeof a, masses: typeof a) => ({ positions: positions.data(), masses: masses.data() });
    expect(cost).toBeCloseTo(wasserstein1d(places(a, r), places(b, c)), 12);
  });

  it("leaves out places without mass, when they may be dropped", async () => {
    const cost = [
      [0, 1, 2],
      [1, 0, 1],
      [2, 1, 0],
    ];
    const options = { dropZeros: true };
    const { plan, x, cost: value } = await exactTransport({ cost, r: [0.5, 0, 0.5], c: [0.25, 0.75, 0] }, options);
    expect(value).toBeCloseTo(0.75, 14);
    expect(Array.from(plan.data().slice(3, 6))).toEqual([0, 0, 0]);
    expect(x.data()[1]).toBeNaN();
  });
});
