import { linalg, matmul, mul, neg, type Tensor, tensor } from "@offprint/tensor-core";
import { errorLike, expectClose, f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { explicitRungeKutta, type MethodName, methods, solveSync, tableaus } from "../src/index.js";

const sum = (x: readonly number[]) => x.reduce((a, b) => a + b, 0);
const dot = (x: readonly number[], y: readonly number[]) => sum(x.map((v, i) => v * y[i]));

/** Order conditions: for each rooted tree the weight of the exact solution and what the tableau gives, up to order 5. */
function conditions(nodes: readonly number[], rows: readonly (readonly number[])[], b: readonly number[]) {
  const c = nodes;
  const a = (x: readonly number[]) => rows.map((row) => dot(row, x.slice(0, row.length)));
  const times = (x: readonly number[], y: readonly number[]) => x.map((v, i) => v * y[i]);
  const power = (k: number) => c.map((v) => v ** k);
  const terms: [order: number, value: number, exact: number][] = [
    [1, sum(b), 1],
    [2, dot(b, c), 1 / 2],
    [3, dot(b, power(2)), 1 / 3],
    [3, dot(b, a(c)), 1 / 6],
    [4, dot(b, power(3)), 1 / 4],
    [4, dot(b, times(c, a(c))), 1 / 8],
    [4, dot(b, a(power(2))), 1 / 12],
    [4, dot(b, a(a(c))), 1 / 24],
    [5, dot(b, power(4)), 1 / 5],
    [5, dot(b, times(power(2), a(c))), 1 / 10],
    [5, dot(b, times(c, a(power(2)))), 1 / 15],
    [5, dot(b, times(c, a(a(c)))), 1 / 30],
    [5, dot(b, times(a(c), a(c))), 1 / 20],
    [5, dot(b, a(power(3))), 1 / 20],
    [5, dot(b, a(times(c, a(c)))), 1 / 40],
    [5, dot(b, a(a(power(2)))), 1 / 60],
    [5, dot(b, a(a(a(c)))), 1 / 120],
  ];
  return terms;
}

describe("tableaus", () => {
  for (const [name, tableau] of Object.entries(tableaus)) {
    it(`${name}: rows sum to nodes, and all conditions of its order hold`, () => {
      const { order, nodes, stages, weights } = tableau;
      const rows = [[], ...stages];
      expectClose(rows.map(sum), nodes, 1e-14);
      for (const [at, value, exact] of conditions(nodes, rows, weights))
        if (at <= order) expectClose(value, exact, 1e-13);
    });

    it(`${name}: the embedded solution is one order lower`, () => {
      const { order, nodes, stages, weights, error } = tableau;
      if (error === undefined) return;
      expectClose(sum(error), 0, 1e-14);
      const embedded = [...weights, 0].map((b, i) => b + error[i]);
      for (const [at, value, exact] of conditions([...nodes, 1], [[], ...stages, weights], embedded)) {
        if (at < order) expectClose(value, exact, 1e-13);
      }
    });

    it(`${name}: dense output begins at nothing and ends with the step`, () => {
      if (tableau.dense === undefined) return;
      expectClose(tableau.dense.map(sum), [...tableau.weights, 0], 1e-12);
    });
  }

  it("refuses numbers that do not fit together", () => {
    const { rk4 } = tableaus;
    expect(() => explicitRungeKutta({ ...rk4, nodes: [0, 1] })).toThrow(
      errorLike("ValueError", /2 nodes for 4 weights/),
    );
    expect(() => explicitRungeKutta({ ...rk4, stages: [[1], [1]] })).toThrow(errorLike("ValueError", /rows/));
    expect(() => explicitRungeKutta({ ...rk4, error: [1, -1] })).toThrow(errorLike("ValueError", /error weights/));
    expect(() => explicitRungeKutta({ ...rk4, stiffnessStage: 1 })).toThrow(errorLike("ValueError", /stiffness stage/));
  });
});

const float = (x: number) => tensor(x, { dtype: "float64" });

/** y' = y cos t, with its solution: depends on time, so that nodes matter. */
const driven = (t: Tensor, y: Tensor) => mul(y, t.cos());
const drivenAt = (t: number) => Math.exp(Math.sin(t));

/** Errors at the end for a first step, its half, ... */
function halvings(method: MethodName, count: number, first: number, t1: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const { end } = solveSync(driven, float(1), [0, t1], { method, stepSize: first / 2 ** i });
    return Math.abs(end.y.item() - drivenAt(t1));
  });
}

describe("orders of convergence, measured at fixed steps", () => {
  const first: Partial<Record<MethodName, number>> = { dop853: 1, tsit5: 1 / 8, dopri5: 1 / 8 };
  for (const name of Object.keys(methods) as MethodName[]) {
    it(`${name} has order ${methods[name].order}`, () => {
      const errors = halvings(name, 3, first[name] ?? 1 / 16, name === "dop853" ? 8 : 1);
      const slope = Math.log2(errors[0] / errors[2]) / 2;
      expect(slope).toBeGreaterThan(methods[name].order - 0.25);
      // The last terms of the method of order 8 are so small that steps in reach show the next.
      expect(slope).toBeLessThan(methods[name].order + (name === "dop853" ? 1.9 : 0.9));
    });
  }

  it("errors of Tsit5 and Dopri5 on y' = -y fall as the sheet has it", () => {
    for (const [method, expected] of [
      ["tsit5", [41.5, 37.1, 34.7]],
      ["dopri5", [35.5, 33.7, 32.8]],
    ] as const) {
      const errors = [8, 16, 32, 64].map((n) => {
        const { end } = solveSync((_t: Tensor, y: Tensor) => neg(y), float(1), [0, 1], { method, stepSize: 1 / n });
        return Math.abs(end.y.item() - Math.exp(-1));
      });
      const ratios = expected.map((_, i) => errors[i] / errors[i + 1]);
      expectClose(ratios, expected, { relative: 0.02 });
      expect(ratios.every((r, i) => r >= 31 && r <= 42 && (i === 0 || r <= ratios[i - 1]))).toBe(true);
    }
  });

  it("dense output has the order that it should", () => {
    const orders: [MethodName, number, number][] = [
      ["tsit5", 4, 1 / 4],
      ["dopri5", 4, 1 / 4],
      ["bogackiShampine", 3, 1 / 8],
      ["dop853", 7, 1],
      ["rodas4", 3, 1 / 8],
    ];
    for (const [method, order, h] of orders) {
      const worst = [h, h / 2, h / 4].map((stepSize) => {
        const { at } = solveSync(driven, float(1), [0, 2], { method, stepSize });
        return Math.max(...Array.from({ length: 41 }, (_, i) => Math.abs(at(i / 20).item() - drivenAt(i / 20))));
      });
      expect(Math.log2(worst[0] / worst[2]) / 2, method).toBeGreaterThan(order - 0.4);
    }
  });
});

describe("linear systems", () => {
  const a = f64([-1, 2, 0.3, -2, -0.5, 1, 0.2, -1, -2], [3, 3]);
  const y0 = f64([1, -1, 0.5], [3]);

  it("global errors stay near the tolerance, against the matrix exponential", () => {
    const exact = matmul(linalg.expm(mul(a, 2)), y0).data();
    for (const method of ["tsit5", "dopri5", "bogackiShampine", "heunEuler", "dop853", "rodas4"] as const) {
      for (const tolerance of [1e-4, 1e-6, 1e-8]) {
        const { end } = solveSync((_t: Tensor, y: Tensor) => matmul(a, y), y0, [0, 2], {
          method,
          relativeTolerance: tolerance,
          absoluteTolerance: tolerance,
        });
        const error = Math.max(...Array.from(end.y.data(), (v, i) => Math.abs(v - exact[i])));
        expect(error, `${method} at ${tolerance}`).toBeLessThan(50 * tolerance);
      }
    }
  });

  it("on y' = a y every error estimate is the polynomial of the tableau, every stiffness estimate |a|", () => {
    const rate = -2.3;
    for (const name of ["tsit5", "dopri5"] as const) {
      const { error, stages, weights } = tableaus[name];
      const q = (z: number) => {
        const r: number[] = [1];
        for (const row of [...stages, weights]) r.push(1 + z * dot(row, r));
        return z * dot(error ?? [], r);
      };
      for (const tolerance of [1e-4, 1e-6]) {
        const s = solveSync((_t: Tensor, y: Tensor) => mul(y, rate), float(1.3), [0, 1], {
          method: name,
          relativeTolerance: tolerance,
          absoluteTolerance: tolerance,
        });
        expectClose(s.stiffness, new Array(s.steps).fill(2.3), { relative: 1e-8 });
        const y = [...s.y.data()];
        const expected = Array.from(
          s.stepSizes,
          (h, j) => Math.abs(y[j] * q(rate * h)) / (tolerance * (1 + Math.max(Math.abs(y[j]), Math.abs(y[j + 1])))),
        );
        expectClose(s.errors, expected, { relative: 1e-4 });
      }
    }
  });

  it("a tolerance ten times as tight takes the fifth root of ten times as many steps", () => {
    const steps = [1e-7, 1e-12].map(
      (tolerance) =>
        solveSync((_t: Tensor, y: Tensor) => matmul(a, y), y0, [0, 2], {
          relativeTolerance: tolerance,
          absoluteTolerance: tolerance,
        }).steps,
    );
    expect(steps[1] / steps[0]).toBeGreaterThan(7);
    expect(steps[1] / steps[0]).toBeLessThan(13);
  });
});

it("keeps float32 states in float32", () => {
  const { end } = solveSync((_t: Tensor, y: Tensor) => neg(y), tensor([1, 2]), [0, 1], {
    relativeTolerance: 1e-4,
    absoluteTolerance: 1e-5,
  });
  expect(end.y.dtype).toBe("float32");
  expectClose(end.y, [Math.exp(-1), 2 * Math.exp(-1)], 1e-4);
});
