import { readFileSync } from "node:fs";
import { NonFiniteError, ShapeError, ValueError } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import * as solvers from "../src/index.js";

const fixtures = JSON.parse(readFileSync(new URL("./fixtures/solvers.json", import.meta.url), "utf8"));

describe("scalar solvers", () => {
  const cases: [string, (x: number) => number, number, number, number][] = [
    ["x^2 - 2", (x) => x * x - 2, 0, 2, Math.SQRT2],
    ["cos x - x", (x) => Math.cos(x) - x, 0, 1, 0.7390851332151607],
    ["x^9", (x) => x ** 9, -1, 1.7, 0],
    ["exp(x) - 1e-8", (x) => Math.exp(x) - 1e-8, -40, 3, Math.log(1e-8)],
    ["a step", (x) => (x < 0.3 ? -1 : 1), 0, 1, 0.3],
    ["a line falling", (x) => 5 - x, 10, 0, 5],
    ["(x - 1)^3", (x) => (x - 1) ** 3, 0, 4, 1],
  ];
  it.each(cases)("root of %s", (_, f, low, high, root) => {
    for (const solve of [solvers.bisection, solvers.brentRoot]) {
      const result = solve(f, low, high);
      expect(result.status).toBe("converged");
      expect(Math.abs(result.x - root)).toBeLessThan(3e-14 + 1e-15 * Math.abs(root));
    }
    expect(solvers.brentRoot(f, low, high).iterations).toBeLessThan(150);
  });

  it("find a root in an interval whose length is no number", () => {
    const [low, high] = [-1.7e308, 1.7e308];
    for (const [from, to] of [
      [low, high],
      [high, low],
    ]) {
      const halved = solvers.bisection((x) => x - 1e308, from, to);
      expect([halved.status, halved.x / 1e308]).toEqual(["converged", expect.closeTo(1, 12)]);
      const found = solvers.brentRoot((x) => x - 1e308, from, to);
      expect([found.status, found.x / 1e308]).toEqual(["converged", expect.closeTo(1, 12)]);
    }
  });

  it("brentRoot needs few evaluations of a smooth function", () => {
    expect(solvers.brentRoot((x) => x * x - 2, 0, 2).iterations).toBeLessThan(11);
    expect(solvers.brentRoot((x) => Math.cos(x) - x, 0, 1).iterations).toBeLessThan(9);
  });

  it("roots at the ends, limits, and wrong brackets", () => {
    for (const solve of [solvers.bisection, solvers.brentRoot]) {
      expect(solve((x) => x, 0, 1).x).toBe(0);
      expect(solve((x) => x - 1, 0, 1).x).toBe(1);
      expect(solve((x) => x - 0.3, 0, 1, { maxIterations: 1, tolerance: 0 }).status).toMatch(/converged|limit/);
      expect(() => solve((x) => x + 5, 0, 1)).toThrow(/same sign/);
      expect(() => solve((x) => 1e-200 * (x + 5), 0, 1)).toThrow(/same sign/);
      expect(() => solve((x) => x, 0, Number.POSITIVE_INFINITY)).toThrow(ValueError);
      expect(() => solve(() => Number.NaN, 0, 1)).toThrow(ValueError);
    }
  });

  it("brentMinimize finds minima to the square root of the precision", () => {
    const parabola = solvers.brentMinimize((x) => (x - 2) ** 2, -4, 9);
    expect(parabola.x).toBeCloseTo(2, 7);
    expect(parabola.iterations).toBeLessThan(15);
    expect(solvers.brentMinimize((x) => -Math.exp(-((x - 0.3) ** 2)), -3, 5).x).toBeCloseTo(0.3, 7);
    expect(solvers.brentMinimize((x) => Math.abs(x - 1.5), 0, 4).x).toBeCloseTo(1.5, 7);
    expect(solvers.brentMinimize((x) => x, 0, 1).x).toBeCloseTo(0, 8);
    expect(solvers.brentMinimize((x) => x * x, -1, 2, { maxIterations: 2 }).status).toBe("limit");
    expect(() => solvers.brentMinimize((x) => x, 1, 0)).toThrow(ValueError);
  });

  it("refuse options that they do not know, and values out of range", () => {
    const square = (x: number) => x * x - 2;
    const scalar = [solvers.bisection, solvers.brentRoot, solvers.brentMinimize];
    for (const solve of scalar) {
      expect(() => solve(square, 0, 2, { tol: 1 } as never)).toThrow(/"tol"; did you mean "tolerance"/);
      expect(() => solve(square, 0, 2, { tolerance: -1 })).toThrow(/tolerance/);
      expect(() => solve(square, 0, 2, { maxIterations: 1.5 })).toThrow(/maxIterations/);
    }
    const point = (step: number) => ({ step, value: -step, slope: -1 });
    const start = { value: 0, slope: -1 };
    expect(() => solvers.wolfeSearch(point, start, { firststep: 1 } as never)).toThrow(/did you mean "firstStep"/);
    expect(() => solvers.armijoSearch(point, start, { shrinks: 1 } as never)).toThrow(/did you mean "shrink"/);
  });
});

describe("line searches", () => {
  // Log |1 - t| has a pole at the first trial.
  const pole = (step: number) => ({ step, value: Math.log(Math.abs(1 - step)), slope: -1 / (1 - step) });
  const start = { value: 0, slope: -1 };

  it("step back from a value of -Infinity, NaN or Infinity", async () => {
    expect(pole(1).value).toBe(Number.NEGATIVE_INFINITY);
    expect(solvers.armijoSearch(pole, start)?.step).toBe(0.5);
    for (const odd of [Number.NEGATIVE_INFINITY, Number.NaN, Number.POSITIVE_INFINITY]) {
      const falls = (step: number) => ({ step, value: step > 0.3 ? odd : -step, slope: step > 0.3 ? odd : -1 });
      for (const found of [solvers.armijoSearch(falls, start), solvers.wolfeSearch(falls, start)]) {
        expect(found?.step).toBeLessThanOrEqual(0.3);
        expect(found?.value).toBe(-(found?.step as number));
      }
    }
    const nowhere = (step: number) => ({ step, value: Number.NEGATIVE_INFINITY, slope: -1 });
    expect(solvers.armijoSearch(nowhere, start)).toBeUndefined();
    expect(solvers.wolfeSearch(nowhere, start)).toBeUndefined();
  });

  it("refuse to begin where the function or its slope is not finite", () => {
    const searches = [
      (from: solvers.LineStart) => solvers.armijoSearch(pole, from),
      (from: solvers.LineStart) => solvers.wolfeSearch(pole, from),
    ];
    for (const search of searches) {
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        expect(() => search({ value, slope: -1 })).toThrow(NonFiniteError);
      }
      expect(() => search({ value: 0, slope: Number.NEGATIVE_INFINITY })).toThrow(/its slope -Infinity; begin/);
      expect(() => search({ value: 0, slope: Number.NaN })).toThrow(/direction in which the function falls/);
    }
  });

  it("brentMinimize refuses a function without a minimum", () => {
    expect(() => solvers.brentMinimize((x) => (x > 0.5 ? Number.NEGATIVE_INFINITY : x), 0, 1)).toThrow(/bounded below/);
  });
});

describe("quadrature", () => {
  type Rule = [node: number, weight: number][];
  const worst = (rule: solvers.QuadratureRule, upper: Rule) => {
    const sorted = [...upper].sort((p, q) => p[0] - q[0]);
    const n = rule.nodes.length;
    let nodeError = 0;
    let weightError = 0;
    sorted.forEach(([x, w], k) => {
      const i = Math.floor(n / 2) + k;
      nodeError = Math.max(nodeError, Math.abs(rule.nodes[i] - x) / Math.max(1, Math.abs(x)));
      weightError = Math.max(weightError, Math.abs(rule.weights[i] - w) / w);
      expect(rule.nodes[n - 1 - i]).toBe(0 - rule.nodes[i]);
    });
    return { nodeError, weightError };
  };

  it.each(Object.entries(fixtures.legendre as Record<string, Rule>))(
    "Gauss-Legendre with %s nodes to 1e-14",
    (n, upper) => {
      const { nodeError, weightError } = worst(solvers.gaussLegendre(Number(n)), upper);
      expect(nodeError).toBeLessThan(3e-16);
      expect(weightError).toBeLessThan(1e-14);
    },
  );

  it.each(Object.entries(fixtures.hermite as Record<string, Rule>))(
    "Gauss-Hermite with %s nodes to 1e-14",
    (n, upper) => {
      const { nodeError, weightError } = worst(solvers.gaussHermite(Number(n)), upper);
      expect(nodeError).toBeLessThan(1e-15);
      expect(weightError).toBeLessThan(3e-14);
    },
  );

  it("integrates what it must, on any interval and for the normal density", () => {
    const { nodes, weights } = solvers.gaussLegendre(5, 0, 2);
    expect(nodes.reduce((s, x, i) => s + weights[i] * x ** 9, 0)).toBeCloseTo(2 ** 10 / 10, 10);
    const normal = solvers.gaussHermite(20, "probabilists");
    const moment = (p: number) => normal.nodes.reduce((s, x, i) => s + normal.weights[i] * x ** p, 0);
    expect([0, 1, 2, 4, 6].map(moment)).toEqual([1, 0, 1, 3, 15].map((v) => expect.closeTo(v, 11)));
    expect(solvers.gaussHermite(1000).weights.reduce((s, w) => s + w, 0)).toBeCloseTo(Math.sqrt(Math.PI), 12);
    expect(() => solvers.gaussLegendre(0)).toThrow(ValueError);
    expect(() => solvers.gaussHermite(2.5)).toThrow(ValueError);
  });
});

describe("tridiagonal eigen-decomposition", () => {
  it("matches numpy and diagonalises", () => {
    const { diagonal, offDiagonal, values } = fixtures.tridiagonal;
    const result = solvers.tridiagonalEigen(diagonal, offDiagonal, "all");
    const n = diagonal.length;
    for (let k = 0; k < n; k++) {
      expect(result.values[k]).toBeCloseTo(values[k], 13);
      for (let i = 0; i < n; i++) {
        const v = (r: number) => (r < 0 || r >= n ? 0 : result.vectors[r * n + k]);
        const left = diagonal[i] * v(i) + (offDiagonal[i - 1] ?? 0) * v(i - 1) + (offDiagonal[i] ?? 0) * v(i + 1);
        expect(left).toBeCloseTo(result.values[k] * v(i), 12);
      }
    }
    const first = solvers.tridiagonalEigen(diagonal, offDiagonal, "first").vectors;
    for (let k = 0; k < n; k++) expect(Math.abs(first[k])).toBeCloseTo(Math.abs(result.vectors[k]), 12);
  });

  it("splits at zeros, keeps multiplicities, refuses wrong input", () => {
    expect(Array.from(solvers.tridiagonalEigen([3, 1, 3, 1], [0, 0, 0]).values)).toEqual([1, 1, 3, 3]);
    expect(Array.from(solvers.tridiagonalEigen([2], []).values)).toEqual([2]);
    expect(solvers.tridiagonalEigen([], []).values.length).toBe(0);
    expect(() => solvers.tridiagonalEigen([1, 2], [1, 2])).toThrow(ShapeError);
    expect(() => solvers.tridiagonalEigen([1, Number.NaN], [1])).toThrow(ValueError);
  });
});
