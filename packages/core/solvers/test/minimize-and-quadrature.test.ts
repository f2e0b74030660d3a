import { readFileSync } from "node:fs";
import { AbortedError, ShapeError, ValueError } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import * as solvers from "../src/index.js";

const fixtures = JSON.parse(readFileSync(new URL("./fixtures/solvers.json", import.meta.url), "utf8"));

const rosenbrock: solvers.ObjectiveWithGradient = (x, gradient) => {
  gradient.fill(0);
  let sum = 0;
  for (let i = 0; i + 1 < x.length; i++) {
    const t = x[i + 1] - x[i] * x[i];
    sum += 100 * t * t + (1 - x[i]) ** 2;
    gradient[i] += -400 * x[i] * t - 2 * (1 - x[i]);
    gradient[i + 1] += 200 * t;
  }
  return sum;
};

const driver: solvers.ObjectiveWithGradient = (x, gradient) => {
  gradient.fill(0);
  let sum = 0.25 * (x[0] - 1) ** 2;
  gradient[0] = 2 * (x[0] - 1);
  for (let i = 1; i < x.length; i++) {
    const t = x[i] - x[i - 1] ** 2;
    sum += t * t;
    gradient[i - 1] -= 16 * x[i - 1] * t;
    gradient[i] += 8 * t;
  }
  return 4 * sum;
};

function quadratic(matrix: number[][], linear: number[]): solvers.ObjectiveWithGradient {
  return (x, gradient) => {
    let value = 0;
    for (let i = 0; i < x.length; i++) {
      const product = matrix[i].reduce((s, v, j) => s + v * x[j], 0);
      gradient[i] = product - linear[i];
      value += 0.5 * x[i] * product - linear[i] * x[i];
    }
    return value;
  };
}

describe("lbfgs", () => {
  it("finds the minimum of Rosenbrock's function in 2 and 100 dimensions", () => {
    for (const n of [2, 100]) {
      const initial = Float64Array.from({ length: n }, (_, i) => (i % 2 === 0 ? -1.2 : 1));
      const result = solvers.lbfgs(rosenbrock, initial);
      expect(result.status).toBe("converged");
      expect(result.objective).toBeLessThan(1e-15);
      for (const v of result.x) expect(v).toBeCloseTo(1, 7);
      expect(result.evaluations).toBeLessThan(n === 2 ? 60 : 900);
    }
  });

  it("its objective never rises and the history ends at the result", () => {
    const { history, objective, iterations } = solvers.lbfgs(rosenbrock, [-1.2, 1, 2, -1]);
    for (let k = 1; k <= iterations; k++) expect(history.objective[k]).toBeLessThanOrEqual(history.objective[k - 1]);
    expect(history.objective[iterations]).toBe(objective);
    expect(history.gradientNorm[iterations]).toBeLessThanOrEqual(1e-8);
  });

  it("solves a quadratic to the accuracy of the gradient", () => {
    const { matrix, linear } = fixtures.quadratic;
    const result = solvers.lbfgs(quadratic(matrix, linear), new Float64Array(8), { gradientTolerance: 1e-10 });
    expect(result.status).toBe("converged");
    const gradient = new Float64Array(8);
    quadratic(matrix, linear)(result.x, gradient);
    for (const g of gradient) expect(Math.abs(g)).toBeLessThan(1e-10);
  });

  it("steps back from a domain where the function is not finite", () => {
    // Minimum of x - log x at 1; the first step would leave the domain.
    const result = solvers.lbfgs(
      (x, g) => {
        g[0] = 1 - 1 / x[0];
        return x[0] > 0 ? x[0] - Math.log(x[0]) : Number.NaN;
      },
      [30],
    );
    expect(result.x[0]).toBeCloseTo(1, 8);
  });

  it("reports why it stopped", () => {
    expect(solvers.lbfgs(rosenbrock, [-1.2, 1], { maxIterations: 3 }).status).toBe("maxIterations");
    expect(solvers.lbfgs(rosenbrock, [-1.2, 1], { decreaseTolerance: 1e-3 }).status).toBe("smallDecrease");
    const wrongGradient: solvers.ObjectiveWithGradient = (x, g) => {
      g[0] = -1;
      return x[0];
    };
    expect(solvers.lbfgs(wrongGradient, [0]).status).toBe("stalled");
    expect(solvers.lbfgs(rosenbrock, [1, 1]).iterations).toBe(0);
  });
});

describe("lbfgsb against scipy", () => {
  // Whether the minimiser can be compared: "driver" asks for x[i] = x[i - 1]^2 all along, so that an objective of 1e-15
  // leaves its last entries open by 2^24 times the square root of that. Its minimum is 0.
  const problems: [string, solvers.ObjectiveWithGradient, boolean][] = [
    ["rosenbrockBox", rosenbrock, true],
    ["rosenbrockActive", rosenbrock, true],
    ["driver", driver, false],
    ["quadratic", quadratic(fixtures.quadratic.matrix, fixtures.quadratic.linear), true],
  ];
  it.each(problems)("%s: the same minimum at a like cost", (name, objective, wellPosed) => {
    const { initial, lower, upper, x, objective: best, evaluations } = fixtures[name];
    const inside: solvers.ObjectiveWithGradient = (point, gradient) => {
      for (let i = 0; i < point.length; i++)
        if (!(point[i] >= lower[i] && point[i] <= upper[i])) throw new Error("left");
      return objective(point, gradient);
    };
    const result = solvers.lbfgsb(inside, initial, { lower, upper, gradientTolerance: 1e-9 });
    expect(result.status).toBe("converged");
    expect(Math.abs(result.objective - best)).toBeLessThan(1e-12 * Math.max(1, Math.abs(best)));
    if (wellPosed) for (let i = 0; i < x.length; i++) expect(result.x[i]).toBeCloseTo(x[i], 6);
    else expect(result.objective).toBeLessThan(1e-12);
    expect(result.evaluations).toBeLessThan(2 * evaluations + 10);
  });

  it("without bounds finds what lbfgs finds", () => {
    const initial = Float64Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? -1.2 : 1));
    const result = solvers.lbfgsb(rosenbrock, initial);
    expect(result.status).toBe("converged");
    for (const v of result.x) expect(v).toBeCloseTo(1, 7);
  });

  it("random convex quadratics in boxes satisfy the optimality conditions", () => {
    let state = 1;
    const draw = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 31 - 1;
    };
    for (let trial = 0; trial < 40; trial++) {
      const n = 2 + (trial % 12);
      const factor = Array.from({ length: n }, () => Array.from({ length: n }, draw));
      const matrix = factor.map((r, i) =>
        factor.map((s, j) => r.reduce((t, v, k) => t + v * s[k], i === j ? 1e-2 : 0)),
      );
      const linear = Array.from({ length: n }, () => 3 * draw());
      const lower = Array.from({ length: n }, () => (draw() > 0.6 ? Number.NEGATIVE_INFINITY : -1 + 0.5 * draw()));
      const upper = Array.from({ length: n }, (_, i) => (i % 5 === 4 ? lower[i] : 0.6 + 0.5 * draw()));
      upper.forEach((u, i) => {
        if (u === Number.NEGATIVE_INFINITY) upper[i] = 1;
      });
      const objective = quadratic(matrix, linear);
      const result = solvers.lbfgsb(objective, new Float64Array(n), { lower, upper, memory: 5 });
      expect(result.status).toBe("converged");
      const gradient = new Float64Array(n);
      objective(result.x, gradient);
      for (let i = 0; i < n; i++) {
        if (result.x[i] > lower[i] + 1e-12) expect(gradient[i]).toBeLessThan(2e-8);
        if (result.x[i] < upper[i] - 1e-12) expect(gradient[i]).toBeGreaterThan(-2e-8);
      }
    }
  });
});

describe("wrong input and interruption", () => {
  it.each([
    ["lbfgs", solvers.lbfgs],
    ["lbfgsb", solvers.lbfgsb],
  ] as const)("%s", (_, minimize) => {
    expect(() => minimize(rosenbrock, [Number.NaN, 0])).toThrow(ValueError);
    expect(() => minimize(() => Number.NaN, [0])).toThrow(ValueError);
    expect(() => minimize(rosenbrock, [0, 0], { memory: 0 })).toThrow(ValueError);
    expect(() => minimize(rosenbrock, [0, 0], { gradientTolerance: Number.NaN })).toThrow(ValueError);
    const controller = new AbortController();
    const onProgress = ({ iteration }: solvers.IterationProgress) => iteration === 2 && controller.abort();
    expect(() => minimize(rosenbrock, [-1, 2], { onProgress, signal: controller.signal })).toThrow(AbortedError);
  });

  it("bounds that cross or do not fit", () => {
    expect(() => solvers.lbfgsb(rosenbrock, [0, 0], { lower: 1, upper: 0 })).toThrow(/cross/);
    expect(() => solvers.lbfgsb(rosenbrock, [0, 0], { lower: [1] })).toThrow(ShapeError);
    expect(() => solvers.lbfgsb(rosenbrock, [0, 0], { lower: Number.NaN })).toThrow(ValueError);
  });
});

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

  it("brentRoot needs few evaluations of a smooth function", () => {
    expect(solvers.brentRoot((x) => x * x - 2, 0, 2).iterations).toBeLessThan(11);
    expect(solvers.brentRoot((x) => Math.cos(x) - x, 0, 1).iterations).toBeLessThan(9);
  });

  it("roots at the ends, limits, and wrong brackets", () => {
    for (const solve of [solvers.bisection, solvers.brentRoot]) {
      expect(solve((x) => x, 0, 1).x).toBe(0);
      expect(solve((x) => x - 1, 0, 1).x).toBe(1);
      expect(solve((x) => x - 0.3, 0, 1, { maxIterations: 1, tolerance: 0 }).status).toMatch(/converged|maxIterations/);
      expect(() => solve((x) => x + 5, 0, 1)).toThrow(/same sign/);
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
    expect(solvers.brentMinimize((x) => x * x, -1, 2, { maxIterations: 2 }).status).toBe("maxIterations");
    expect(() => solvers.brentMinimize((x) => x, 1, 0)).toThrow(ValueError);
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
