import { readFileSync } from "node:fs";
import { random, sparse, tree } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { type ConicOptions, type ConicProblem, type ConicResult, projectCone, solveConic } from "../src/index.js";
import { lmi, problems } from "./problems.js";

function expectOptimal(problem: ConicProblem, result: ConicResult, value: number, eps: number): void {
  expect(result.status).toBe("converged");
  const tolerance = 10 * eps * (1 + Math.abs(value));
  expect(Math.abs(result.objective - value)).toBeLessThanOrEqual(tolerance);
  expect(Math.abs(result.dualObjective - value)).toBeLessThanOrEqual(tolerance);
  const complementarity = result.s.reduce((sum, s, i) => sum + s * result.y[i], 0);
  expect(Math.abs(complementarity)).toBeLessThanOrEqual(tolerance);
  const projected = projectCone(result.s, problem.cones);
  const size = Math.hypot(...result.s);
  expect(Math.hypot(...result.s.map((s, i) => s - projected[i]))).toBeLessThanOrEqual(1e-12 * size);
  // K* differs from K in the zero cone only, whose dual variables are free.
  const rest = { ...problem.cones, z: 0 };
  const y = result.y.slice(problem.cones.z ?? 0);
  const dual = projectCone(y, rest);
  expect(Math.hypot(...y.map((v, i) => v - dual[i]))).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.hypot(...y)));
}

describe.each(problems)("$name", ({ problem, value }) => {
  it.each([
    ["interior-point", 1e-6, 10],
    ["interior-point", 1e-9, 15],
    ["splitting", 1e-6, 1000],
    ["splitting", 1e-9, 1000],
  ] as const)("reaches the exact value by %s to %s", async (method, tolerance, most) => {
    const result = await solveConic(problem, { method, tolerance });
    expectOptimal(problem, result, value, tolerance);
    expect(result.iterations).toBeLessThanOrEqual(most);
  });

  it.each<[string, ConicOptions]>([
    ["by the method that suits", {}],
    ["by interior points without equilibration", { method: "interior-point", normalize: false }],
    ["without equilibration", { normalize: false }],
    ["without acceleration", { anderson: false }],
    ["from another scale", { scale: 3 }],
  ])("reaches it %s", async (_, options) => {
    const method = Object.keys(options).length === 0 ? "auto" : "splitting";
    expectOptimal(problem, await solveConic(problem, { method, tolerance: 1e-7, ...options }), value, 1e-7);
  });

  it("ends within two checks from its own solution", async () => {
    const { x, y, s } = await solveConic(problem, { tolerance: 1e-8 });
    const again = await solveConic(problem, { tolerance: 1e-7, initial: { x, y, s } });
    expectOptimal(problem, again, value, 1e-7);
    expect(again.iterations).toBeLessThanOrEqual(50);
  });

  it("is deterministic", async () => {
    const [first, second] = [await solveConic(problem), await solveConic(problem)];
    expect(second.x).toEqual(first.x);
    expect(second.y).toEqual(first.y);
    expect(second.iterations).toBe(first.iterations);
  });
});

const cvxopt: Record<string, ConicProblem & { objective: number }> = JSON.parse(
  readFileSync(new URL("./fixtures/cvxopt.json", import.meta.url), "utf8"),
);

describe("random cone programmes with CVXOPT's values", () => {
  it.each(Object.keys(cvxopt).flatMap((name) => [[name, "interior-point"] as const, [name, "splitting"] as const]))(
    "%s by %s",
    async (name, method) => {
      const { objective, ...problem } = cvxopt[name];
      expectOptimal(problem, await solveConic(problem, { method, tolerance: 1e-8 }), objective, 1e-8);
    },
  );

  it("does not depend on the order of equal cones", async () => {
    const { objective, ...problem } = cvxopt.mixed;
    const { cones, A, b } = problem as unknown as { cones: ConicProblem["cones"]; A: number[][]; b: number[] };
    const sizes = [1, 4, 3, 4, 6, 1, 3, 6];
    const order = [0, 1, 3, 2, 7, 5, 6, 4];
    const starts = sizes.map((_, k) => sizes.slice(0, k).reduce((t, v) => t + v, 0));
    const rows = order.flatMap((k) => Array.from({ length: sizes[k] }, (_, i) => starts[k] + i));
    const permuted = {
      ...problem,
      A: rows.map((i) => A[i]),
      b: rows.map((i) => b[i]),
      cones: { ...cones, q: [4, 3], s: [3, 1, 2, 3] },
    };
    expectOptimal(permuted, await solveConic(permuted, { tolerance: 1e-8 }), objective, 1e-8);
  });
});

describe.each(["interior-point", "splitting"] as const)("infeasible and unbounded problems by %s", (method) => {
  it("x <= 0 and x >= 1 has a certificate", async () => {
    const result = await solveConic({ A: [[1], [-1]], b: [0, -1], c: [0], cones: { l: 2 } }, { method });
    expect(result.status).toBe("infeasible");
    expect(result.objective).toBe(Infinity);
    expect(result.y[0]).toBeCloseTo(1, 6);
    expect(result.y[1]).toBeCloseTo(1, 6);
    expect(result.x[0]).toBeNaN();
  });

  it("[[-1, x], [x, 1]] is never positive semidefinite", async () => {
    const problem = { ...lmi(2, [-1, 0, 0, 1], [[0, 1, 1, 0]]), c: [0], cones: { s: [2] } };
    const result = await solveConic(problem, { method });
    expect(result.status).toBe("infeasible");
    const by = result.y.reduce((sum, y, i) => sum + y * problem.b[i], 0);
    expect(by).toBeCloseTo(-1, 9);
    expect(Math.abs(result.y[1])).toBeLessThan(1e-6);
  });

  it("min -x over x >= 0 has a ray", async () => {
    const result = await solveConic({ A: [[-1]], b: [0], c: [-1], cones: { l: 1 } }, { method });
    expect(result.status).toBe("unbounded");
    expect(result.objective).toBe(-Infinity);
    expect(result.x[0]).toBeCloseTo(1, 9);
  });

  it.each([1e8, 1e12, 1e30])(
    "no certificate is found for a programme that has a solution, in units of %s",
    async (unit) => {
      const A = [
        [1, 2],
        [4, 2],
        [-1, 0],
        [0, -1],
      ];
      const [b, c, cones] = [[4, 12, 0, 0], [-1, -1], { l: 4 }];
      const times = (values: readonly number[], factor: number) => values.map((value) => value * factor);
      for (const [problem, objective] of [
        [{ A, b, c: times(c, unit), cones }, (-10 / 3) * unit],
        [{ A, b: times(b, unit), c, cones }, (-10 / 3) * unit],
        [{ A: A.map((row) => times(row, unit)), b, c, cones }, -10 / 3 / unit],
        [{ A: A.map((row) => times(row, 1 / unit)), b, c, cones }, (-10 / 3) * unit],
      ] as const) {
        const result = await solveConic(problem, { method });
        expect(["converged", "inaccurate", "limit"]).toContain(result.status);
        // The tolerance is absolute, too: where the objective is small it says nothing.
        if (result.status === "converged" && unit * Math.abs(objective) > unit) {
          expect(result.objective / objective).toBeCloseTo(1, 4);
        }
      }
    },
  );

  it.each([1e-4, 1e4, 1e8])("certificates are found in units of %s", async (unit) => {
    const bounds = { A: [[1], [-1]], b: [0, -unit], c: [0], cones: { l: 2 } };
    expect((await solveConic(bounds, { method })).status).toBe("infeasible");
    // One of the bounds is far larger than what they contradict each other by.
    const near = { ...bounds, b: [1e4 * unit, -1.001e4 * unit] };
    expect((await solveConic(near, { method })).status).toBe("infeasible");
    const ray = { A: [[-1]], b: [0], c: [-unit], cones: { l: 1 } };
    expect((await solveConic(ray, { method })).status).toBe("unbounded");
  });

  it("an infimum that is not attained is never reported as solved below it", async () => {
    const problem = {
      ...lmi(
        2,
        [0, 1, 1, 0],
        [
          [1, 0, 0, 0],
          [0, 0, 0, 1],
        ],
      ),
      c: [1, 0],
      cones: { s: [2] },
    };
    const result = await solveConic(problem, { method });
    expect(result.status !== "converged" || result.objective > 0).toBe(true);
    expect(result.objective).toBeGreaterThan(-1e-6);
  });
});

describe("a quadratic term of one direction, far larger than all else", () => {
  const direction = [1 / 3, 0.7, -1.1];
  const programme = (size: number): ConicProblem => ({
    P: direction.map((a) => direction.map((b) => size * a * b)),
    A: [
      [1, 1, 1],
      [-1, 0, 0],
      [0, -1, 0],
      [0, 0, -1],
    ],
    b: [1, 0, 0, 0],
    c: [1, 2, 3],
    cones: { z: 1, l: 3 },
  });
  /** On the simplex, at right angles to the direction. */
  const exact = [33 / 43, 0, 10 / 43];

  it.each(["auto", "interior-point", "splitting"] as const)(
    "has an answer by %s, though rounding leaves no factors",
    async (method) => {
      for (const size of [1e10, 1e14, 1e16, 1e20, 1e30, 1e100]) {
        for (const normalize of [true, false]) {
          const { status, x } = await solveConic(programme(size), { method, normalize, maxIterations: 500 });
          expect(["converged", "limit", "inaccurate"]).toContain(status);
          expect(x.every(Number.isFinite)).toBe(true);
          if (size === 1e10 && method === "auto")
            expect(Math.max(...x.map((v, i) => Math.abs(v - exact[i])))).toBeLessThan(1e-5);
        }
      }
    },
  );
});

describe("the embedding", () => {
  it("also solves problems without constraints", async () => {
    const result = await solveConic({
      P: [
        [2, 0],
        [0, 4],
      ],
      A: { shape: [0, 2], values: new Float64Array(0) },
      b: [],
      c: [-2, -4],
      cones: {},
    });
    expect(result.status).toBe("converged");
    expect(result.x[0]).toBeCloseTo(1, 5);
    expect(result.x[1]).toBeCloseTo(1, 5);
  });

  it("gives the same answer through the normal matrix and through the quasi-definite matrix", async () => {
    // As an operator the problem always goes through the normal matrix.
    const A = [
      [1, 1, 1, 0],
      [-1, 0, 0, 0],
      [0, -1, 0, 0],
      [0, 0, -1, 0],
      [0, 0, 0, -1],
      [2, 0, -1, 1],
    ];
    const b = [1, 0, 0, 0, 0, 1];
    const c = [-1, -2, 0.5, 1];
    const cones = { z: 1, l: 5 };
    const sparse = await solveConic({ A, b, c, cones }, { tolerance: 1e-9 });
    const operator = await solveConic({ A: asOperator(A), b, c, cones }, { tolerance: 1e-9 });
    expect(sparse.status).toBe("converged");
    expect(operator.objective).toBeCloseTo(sparse.objective, 7);
    expect(operator.objective).toBeCloseTo(-2, 7);
  });

  it("reports what it does at every check", async () => {
    const seen: number[] = [];
    const { problem } = problems[3];
    const result = await solveConic(problem, {
      method: "splitting",
      anderson: false,
      onProgress: ({ iteration }) => seen.push(iteration),
    });
    expect(seen).toEqual(result.history.map(({ iteration }) => iteration));
    expect(seen.at(-1)).toBe(result.iterations);
  });

  it("returns its last point when it runs out of iterations", async () => {
    const result = await solveConic(problems[3].problem, { method: "splitting", maxIterations: 7, anderson: false });
    expect(result.status).toBe("limit");
    expect(result.iterations).toBe(7);
    expect(result.residuals.primal).toBeGreaterThan(0);
  });
});

function asOperator(A: number[][]) {
  const n = A[0].length;
  return {
    rows: A.length,
    columns: n,
    apply: (x: Float64Array, out: Float64Array) => {
      for (const [i, row] of A.entries()) out[i] = row.reduce((sum, v, j) => sum + v * x[j], 0);
    },
    applyTransposed: (y: Float64Array, out: Float64Array) => {
      for (let j = 0; j < n; j++) out[j] = A.reduce((sum, row, i) => sum + row[j] * y[i], 0);
    },
    normal: (weights: Float64Array) => {
      const values: number[] = [];
      const [rows, columns]: [number[], number[]] = [[], []];
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          rows.push(i);
          columns.push(j);
          values.push(A.reduce((sum, row, k) => sum + weights[k] * row[i] * row[j], 0));
        }
      }
      return sparse.fromTriplets(n, n, rows, columns, values);
    },
  };
}

describe("an iteration that takes long", () => {
  const [rows, columns] = [12, 5];
  const entries = random.rng(5).normal([rows, columns], { dtype: "float64" }).data() as Float64Array;
  const b = new Float64Array(rows).fill(1);
  const c = Float64Array.of(1, -1, 0.5, 0.2, -0.3);
  // Bounds on all variables besides.
  const A = Float64Array.from({ length: (rows + 2 * columns) * columns }, (_, k) => {
    const [i, j] = [Math.floor(k / columns), k % columns];
    if (i < rows) return entries[k];
    return (i - rows) % columns === j ? (i - rows < columns ? 1 : -1) : 0;
  });
  const m = rows + 2 * columns;
  const problem = (onNormal: (count: number) => void) => {
    let count = 0;
    const weighted = (weights: Float64Array) => {
      const values = Array.from({ length: columns }, (_, i) =>
        Array.from({ length: columns }, (_unused, j) => {
          let sum = 0;
          for (let k = 0; k < m; k++) sum += A[k * columns + i] * weights[k] * A[k * columns + j];
          return sum;
        }),
      );
      return sparse.fromDense(values);
    };
    return {
      A: {
        rows: m,
        columns,
        apply(x: Float64Array, out: Float64Array) {
          for (let i = 0; i < m; i++) {
            out[i] = 0;
            for (let j = 0; j < columns; j++) out[i] += A[i * columns + j] * x[j];
          }
        },
        applyTransposed(y: Float64Array, out: Float64Array) {
          out.fill(0);
          for (let i = 0; i < m; i++) for (let j = 0; j < columns; j++) out[j] += A[i * columns + j] * y[i];
        },
        normal: weighted,
        *scaledNormal(weights: Float64Array) {
          onNormal(count++);
          // Long enough for others to be due.
          for (const start = performance.now(); performance.now() < start + 20; );
          yield;
          return weighted(weights);
        },
      },
      b: Float64Array.of(...b, ...new Float64Array(2 * columns).fill(2)),
      c,
      cones: { l: m },
    };
  };
  const options = { method: "interior-point" } as const;

  it("is given up when the signal fires, and the run is where it was before", async () => {
    const whole = await solveConic(
      problem(() => undefined),
      options,
    );
    expect(whole.status).toBe("converged");
    const controller = new AbortController();
    // The starting point is made from the first.
    const stopped = await solveConic(
      problem((count) => (count === 3 ? controller.abort() : undefined)),
      { ...options, signal: controller.signal },
    );
    expect([stopped.status, stopped.iterations, stopped.history.length]).toEqual(["aborted", 2, 2]);
    const two = await solveConic(
      problem(() => undefined),
      { ...options, maxIterations: 2 },
    );
    expect(tree.toJson(stopped.state)).toBe(tree.toJson(two.state));
    const rest = await solveConic(
      problem(() => undefined),
      { ...options, resume: stopped.state },
    );
    expect(tree.toJson(rest.x)).toBe(tree.toJson(whole.x));
    expect(rest.history).toEqual(whole.history);
  });
});

it("auto is the splitting where a matrix variable would fill the normal matrix of interior points", async () => {
  // The least trace of a Q >= C and >= 0 is the sum of C's positive eigenvalues.
  const order = 60;
  const length = (order * (order + 1)) / 2;
  const negative = sparse.scale(sparse.identity(length), -1);
  const [b, c] = [new Float64Array(2 * length), new Float64Array(length)];
  for (let j = 0, k = 0; j < order; k += order - j, j++) {
    b[k] = j % 2 === 0 ? -1 : 1;
    c[k] = 1;
  }
  const A = sparse.vstack([negative, negative]);
  const { method, status, objective } = await solveConic({ A, b, c, cones: { s: [order, order] } });
  expect([method, status]).toEqual(["splitting", "converged"]);
  expect(objective).toBeCloseTo(order / 2, 3);
});
