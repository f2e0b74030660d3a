import { readFileSync } from "node:fs";
import { ShapeError, ValueError } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  minimizeLbfgsbSync,
  minimizeLbfgsSync,
  nonlinearConjugateGradientsSync,
  type ObjectiveWithGradient,
} from "../src/index.js";
import { quadratic, rosenbrock } from "./objectives.js";

const fixtures = JSON.parse(readFileSync(new URL("./fixtures/solvers.json", import.meta.url), "utf8"));

const driver: ObjectiveWithGradient = (x, gradient) => {
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

describe("lbfgs", () => {
  it("finds the minimum of Rosenbrock's function in 2 and 100 dimensions", () => {
    for (const n of [2, 100]) {
      const initial = Float64Array.from({ length: n }, (_, i) => (i % 2 === 0 ? -1.2 : 1));
      const result = minimizeLbfgsSync(rosenbrock, initial);
      expect(result.status).toBe("converged");
      expect(result.objective).toBeLessThan(1e-15);
      for (const v of result.x) expect(v).toBeCloseTo(1, 7);
      expect(result.evaluations).toBeLessThan(n === 2 ? 60 : 900);
    }
  });

  it("its objective never rises and the history ends at the result", () => {
    const { history, objective, iterations } = minimizeLbfgsSync(rosenbrock, [-1.2, 1, 2, -1]);
    expect(history.map(({ iteration }) => iteration)).toEqual(Array.from({ length: iterations }, (_, k) => k + 1));
    for (let k = 1; k < iterations; k++) expect(history[k].objective).toBeLessThanOrEqual(history[k - 1].objective);
    expect(history[iterations - 1].objective).toBe(objective);
    expect(history[iterations - 1].gradientNorm).toBeLessThanOrEqual(1e-8);
  });

  it("solves a quadratic to the accuracy of the gradient", () => {
    const { matrix, linear } = fixtures.quadratic;
    const result = minimizeLbfgsSync(quadratic(matrix, linear), new Float64Array(8), { gradientTolerance: 1e-10 });
    expect(result.status).toBe("converged");
    const gradient = new Float64Array(8);
    quadratic(matrix, linear)(result.x, gradient);
    for (const g of gradient) expect(Math.abs(g)).toBeLessThan(1e-10);
  });

  it("steps back from a domain where the function is not finite", () => {
    // Minimum of x - log x at 1; the first step would leave the domain.
    const result = minimizeLbfgsSync(
      (x, g) => {
        g[0] = 1 - 1 / x[0];
        return x[0] > 0 ? x[0] - Math.log(x[0]) : Number.NaN;
      },
      [30],
    );
    expect(result.x[0]).toBeCloseTo(1, 8);
  });

  it("reports why it stopped", () => {
    expect(minimizeLbfgsSync(rosenbrock, [-1.2, 1], { maxIterations: 3 }).status).toBe("limit");
    expect(minimizeLbfgsSync(rosenbrock, [-1.2, 1], { decreaseTolerance: 1e-3 }).status).toBe("converged");
    const wrongGradient: ObjectiveWithGradient = (x, g) => {
      g[0] = -1;
      return x[0];
    };
    expect(minimizeLbfgsSync(wrongGradient, [0]).status).toBe("inaccurate");
    expect(minimizeLbfgsSync(rosenbrock, [1, 1]).iterations).toBe(0);
  });
});

describe("lbfgsb against scipy", () => {
  // Whether the minimiser can be compared: "driver" asks for x[i] = x[i - 1]^2 all along, so that an objective of 1e-15
  // leaves its last entries open by 2^24 times the square root of that. Its minimum is 0.
  const problems: [string, ObjectiveWithGradient, boolean][] = [
    ["rosenbrockBox", rosenbrock, true],
    ["rosenbrockActive", rosenbrock, true],
    ["driver", driver, false],
    ["quadratic", quadratic(fixtures.quadratic.matrix, fixtures.quadratic.linear), true],
  ];
  it.each(problems)("%s: the same minimum at a like cost", (name, objective, wellPosed) => {
    const { initial, lower, upper, x, objective: best, evaluations } = fixtures[name];
    const inside: ObjectiveWithGradient = (point, gradient) => {
      for (let i = 0; i < point.length; i++)
        if (!(point[i] >= lower[i] && point[i] <= upper[i])) throw new Error("left");
      return objective(point, gradient);
    };
    const result = minimizeLbfgsbSync(inside, initial, { lower, upper, gradientTolerance: 1e-9 });
    expect(result.status).toBe("converged");
    expect(Math.abs(result.objective - best)).toBeLessThan(1e-12 * Math.max(1, Math.abs(best)));
    if (wellPosed) for (let i = 0; i < x.length; i++) expect(result.x[i]).toBeCloseTo(x[i], 6);
    else expect(result.objective).toBeLessThan(1e-12);
    expect(result.evaluations).toBeLessThan(2 * evaluations + 10);
  });

  it("without bounds finds what lbfgs finds", () => {
    const initial = Float64Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? -1.2 : 1));
    const result = minimizeLbfgsbSync(rosenbrock, initial);
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
      const result = minimizeLbfgsbSync(objective, new Float64Array(n), { lower, upper, memory: 5 });
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

describe("wrong input", () => {
  it.each([
    ["lbfgs", minimizeLbfgsSync],
    ["lbfgsb", minimizeLbfgsbSync],
  ] as const)("%s", (_, minimize) => {
    expect(() => minimize(rosenbrock, [Number.NaN, 0])).toThrow(ValueError);
    expect(() => minimize(() => Number.NaN, [0])).toThrow(/objective is NaN at the initial point/);
    expect(() => minimize(rosenbrock, [0, 0], { memory: 0 })).toThrow(ValueError);
    expect(() => minimize(rosenbrock, [0, 0], { gradientTolerance: Number.NaN })).toThrow(ValueError);
    expect(() => minimize(rosenbrock, [0, 0], { maxiter: 3 } as object)).toThrow(/did you mean "maxIterations"/);
  });

  it("bounds that cross or do not fit", () => {
    expect(() => minimizeLbfgsbSync(rosenbrock, [0, 0], { lower: 1, upper: 0 })).toThrow(/cross/);
    expect(() => minimizeLbfgsbSync(rosenbrock, [0, 0], { lower: [1] })).toThrow(ShapeError);
    expect(() => minimizeLbfgsbSync(rosenbrock, [0, 0], { lower: Number.NaN })).toThrow(ValueError);
  });
});

describe("functions of any unit of values and of variables", () => {
  const scales = [1e-50, 1e-20, 1, 1e20, 1e50];
  const curvatures = [1, 10, 100, 3, 0.1];
  it.each([
    ["lbfgs", minimizeLbfgsSync, 35],
    ["lbfgsb", minimizeLbfgsbSync, 35],
    ["nonlinear conjugate gradients", nonlinearConjugateGradientsSync, 150],
  ] as const)("are minimised by %s", (_, minimize, most) => {
    for (const unit of scales) {
      for (const length of scales) {
        const bowl: ObjectiveWithGradient = (x, gradient) => {
          curvatures.forEach((h, i) => {
            gradient[i] = unit * h * (x[i] - length * (i + 1));
          });
          return curvatures.reduce((sum, h, i) => sum + (unit * h * (x[i] - length * (i + 1)) ** 2) / 2, 0);
        };
        const gradientTolerance = 1e-9 * unit * length;
        const result = minimize(bowl, new Float64Array(5), { gradientTolerance });
        expect(result.status).toBe("converged");
        result.x.forEach((v, i) => {
          expect(v / length).toBeCloseTo(i + 1, 7);
        });
        expect(result.iterations).toBeLessThan(most);
        expect(result.evaluations).toBeLessThan(3 * most);
      }
    }
  });

  it.each([
    ["lbfgs", minimizeLbfgsSync],
    ["lbfgsb", minimizeLbfgsbSync],
    ["nonlinear conjugate gradients", nonlinearConjugateGradientsSync],
  ] as const)(
    "are minimised by %s where squares of gradients are no numbers, and told in their unit",
    (_, minimize) => {
      for (const [unit, length] of [
        [1e-300, 1],
        [1e-200, 1],
        [1e-160, 1],
        [1e160, 1],
        [1e200, 1],
        [1e300, 1],
        [1e100, 1e50],
        [1e100, 1e100],
        [1e200, 1e-100],
      ]) {
        const bowl: ObjectiveWithGradient = (x, gradient) => {
          x.forEach((v, i) => {
            gradient[i] = 2 * unit * (i + 1) * (v - length);
          });
          return x.reduce((sum, v, i) => sum + unit * (i + 1) * (v - length) ** 2, 0);
        };
        const start = new Float64Array(3);
        const { status, x, history, gradient, objective } = minimize(bowl, start, {
          gradientTolerance: 1e-9 * unit * length,
        });
        expect(status).toBe("converged");
        for (const v of x) expect(v / length).toBeCloseTo(1, 8);
        const slope = new Float64Array(3);
        expect(objective).toBe(bowl(x, slope));
        expect(gradient).toEqual(slope);
        expect(history[history.length - 1].gradientNorm).toBe(Math.max(...slope.map(Math.abs)));
      }
    },
  );

  it("fall by decreaseTolerance in their own unit", () => {
    const bowl: ObjectiveWithGradient = (x, gradient) => {
      gradient[0] = 2e-200 * (x[0] - 1);
      return 1e-200 * (x[0] - 1) ** 2;
    };
    const { status, iterations } = minimizeLbfgsSync(bowl, [0], { gradientTolerance: 0, decreaseTolerance: 1e-12 });
    expect([status, iterations]).toEqual(["converged", 1]);
  });

  it("are not called minimised by lbfgsb where the gradient is small beside the variables only", () => {
    const tilted: ObjectiveWithGradient = (x, gradient) => {
      gradient[0] = 1e-20 * (x[0] - 3);
      return (1e-20 * (x[0] - 3) ** 2) / 2;
    };
    const { status, history, x } = minimizeLbfgsbSync(tilted, [1], { lower: [0], gradientTolerance: 1e-29 });
    expect(status === "converged" ? x[0] : 3).toBeCloseTo(3, 8);
    expect(history[0].gradientNorm).toBeCloseTo(2e-20, 30);
  });
});
