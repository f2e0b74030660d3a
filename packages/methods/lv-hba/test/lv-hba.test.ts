import { mul, sub, type Tensor, tensor } from "@offprint/tensor-core";
import { errorLike, expectClose, failureOf } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  affineConstraints,
  lvHba,
  lvHbaResidual,
  proxLagrangianValue,
  solveLowerProgramme,
  svmHyperParameters,
} from "../src/index.js";
import { freeProblem, halfSpaceProblem } from "./problems.js";

const float64 = { dtype: "float64" } as const;

describe("affineConstraints", () => {
  it("is the constraint with its projection that is written by hand", async () => {
    for (const equality of [false, true]) {
      const byHand = halfSpaceProblem(3, equality);
      const ones = [[1, 1, 1]];
      const affine = { ...byHand, ...affineConstraints({ x: ones, y: ones, bounds: [1], equality }) };
      const options = { maxIterations: 50, gamma1: 2, gamma2: 2 };
      const [one, other] = [await lvHba(byHand, options), await lvHba(affine, options)];
      expectClose(other.x, one.x, 1e-10);
      expectClose(other.multipliers, one.multipliers, 1e-10);
    }
  });

  it("keeps pairs feasible where several constraints meet, and leads to the best of them", async () => {
    // Lower: the y of the simplex sum y <= x, y >= 0 nearest to (3, 1); upper: y near (2, 2), and x small.
    const problem = {
      initial: { x: tensor([1], float64), y: tensor([0, 0], float64) },
      upper: (x: Tensor, y: Tensor) =>
        x
          .square()
          .sum()
          .mul(0.1)
          .add(y.sub([2, 2]).square().sum()),
      lower: (_: Tensor, y: Tensor) => y.sub([3, 1]).square().sum().mul(0.5),
      ...affineConstraints({
        x: [[-1], [0], [0]],
        y: [
          [1, 1],
          [-1, 0],
          [0, -1],
        ],
        bounds: [0, 0, 0],
      }),
    };
    const options = { maxIterations: 1000, gamma1: 2, gamma2: 2, alpha: 0.2, eta: 0.3 };
    const { x, history } = await lvHba(problem, options);
    for (const { feasibility } of history) expect(feasibility).toBeLessThan(1e-9);
    // With y = (x/2 + 1, x/2 - 1) for x in [2, 4], the upper level is 0.1 x^2 + (x/2 - 1)^2 + (x/2 - 3)^2.
    expect(Math.abs(x.item() - 4 / 1.2)).toBeLessThan(0.01);
    const { y } = await solveLowerProgramme(problem, x);
    expectClose(y, [x.item() / 2 + 1, x.item() / 2 - 1], 1e-7);
  });

  it("refuses what does not fit", () => {
    expect(() => affineConstraints({ x: [[1]], y: [[1], [2]], bounds: [0] })).toThrow(/give \[l, dx\], \[l, dy\]/);
    expect(() => affineConstraints({ x: [[1], [-1]], y: [[0], [0]], bounds: [-1, -1] })).toThrow(/no point satisfies/);
  });
});

describe("proxLagrangianValue", () => {
  it("without constraints is the Moreau envelope", async () => {
    const problem = freeProblem();
    const { x, y } = problem.initial;
    const { value } = await proxLagrangianValue(problem, x, y, new Float64Array(0), {
      gamma1: 3,
      eta: 0.5,
      tolerance: 1e-12,
    });
    expect(value).toBeCloseTo((3 ** 2 * 2) / (2 * (1 + 3)), 10);
  });

  it("does not change where constraints are scaled, with r, gamma2 and the multipliers", async () => {
    const problem = halfSpaceProblem();
    const [x, y] = [tensor([0.4, -0.2, 0.1], float64), tensor([0.5, 0.3, -0.6], float64)];
    const s = 2.5;
    const options = { gamma1: 2, gamma2: 3, r: 50, method: "quadratic" } as const;
    const plain = await proxLagrangianValue(problem, x, y, [0.7], options);
    const scaled = await proxLagrangianValue(problem, x, y, [0.7 / s], {
      ...options,
      gamma2: 3 / s ** 2,
      r: 50 / s,
      scale: [1 / s],
    });
    expect(scaled.value).toBeCloseTo(plain.value, 11);
    expectClose(scaled.theta, plain.theta, 1e-11);
  });

  it("has the gradients of its saddle point", async () => {
    const problem = halfSpaceProblem();
    const [x, y] = [tensor([0.4, -0.2, 0.1], float64), tensor([0.9, 0.8, -0.1], float64)];
    const options = { gamma1: 2, gamma2: 3, method: "quadratic" } as const;
    const { gradX, gradY } = await proxLagrangianValue(problem, x, y, [0.7], options);
    const slopes = async (which: "x" | "y", at: Tensor) => {
      const values: number[] = [];
      for (let i = 0; i < 3; i++) {
        const ends: number[] = [];
        for (const by of [1e-5, -1e-5]) {
          const moved = tensor(
            Float64Array.from(at.data(), (v, j) => (j === i ? v + by : v)),
            float64,
          );
          const call =
            which === "x"
              ? proxLagrangianValue(problem, moved, y, [0.7], options)
              : proxLagrangianValue(problem, x, moved, [0.7], options);
          ends.push((await call).value);
        }
        values.push((ends[0] - ends[1]) / 2e-5);
      }
      return values;
    };
    expectClose(gradX, await slopes("x", x), 1e-8);
    expectClose(gradY, await slopes("y", y), 1e-8);
  });
});

describe("lvHba", () => {
  it("comes to the solution of a problem whose constraint is active", async () => {
    const problem = halfSpaceProblem();
    const long = { maxIterations: 4000, gamma1: 2, gamma2: 2, alpha: 0.1, c: 5, p: 0.49 };
    const { x, y, multipliers, warning } = await lvHba(problem, long);
    expect(warning).toBeNull();
    const exact = await solveLowerProgramme(problem, x);
    expectClose(y, exact.y, 0.02);
    expectClose(multipliers, exact.multipliers, 0.05);
  });

  it("keeps every iterate feasible, and the multipliers within their bounds", async () => {
    for (const equality of [false, true]) {
      const states: { x: Tensor; y: Tensor; lambda: Tensor; z: Tensor }[] = [];
      const options = {
        maxIterations: 40,
        r: 0.3,
        checkpoint: { save: ({ inner }: { inner: (typeof states)[0] }) => void states.push(inner) },
      };
      const { history } = await lvHba(halfSpaceProblem(3, equality), options);
      expect(Math.max(...history.map(({ feasibility }) => feasibility))).toBeLessThan(1e-9);
      for (const { lambda, z } of states) {
        for (const value of [lambda.item(), z.item()]) {
          expect(value).toBeLessThanOrEqual(0.3);
          expect(value).toBeGreaterThanOrEqual(equality ? -0.3 : 0);
        }
      }
    }
  });

  it("stays at a lower solution where the upper function is left out", async () => {
    const base = halfSpaceProblem();
    const { x } = base.initial;
    const { y, multipliers } = await solveLowerProgramme(base, x, { tolerance: 1e-12 });
    const problem = { ...base, initial: { x, y } };
    for (const scaleConstraints of ["none", "auto", [5]] as const) {
      const options = { maxIterations: 20, scaleConstraints, penalty: () => Number.POSITIVE_INFINITY };
      const run = await lvHba(problem, { ...options, initial: { lambda: multipliers, z: multipliers } });
      expectClose(run.x, x, 1e-8);
      expectClose(run.y, y, 1e-8);
      expectClose(run.multipliers, multipliers, 1e-8);
    }
  });

  it("moves along the gradient of the penalised function where the saddle point is solved", async () => {
    const problem = halfSpaceProblem();
    const start = {
      ...problem,
      initial: { x: tensor([0.1, -0.3, -0.2], float64), y: tensor([-0.3, 0.2, -0.4], float64) },
    };
    const [z, penalty, alpha] = [0.4, 3, 1e-3];
    const saddle = { gamma1: 2, gamma2: 3 };
    const { theta, lambda } = await proxLagrangianValue(start, start.initial.x, start.initial.y, [z], {
      ...saddle,
      method: "quadratic",
    });
    const psi = async (x: Tensor, y: Tensor) => {
      const { value } = await proxLagrangianValue(start, x, y, [z], { ...saddle, method: "quadratic" });
      return start.upper(x, y, null).item() / penalty + start.lower(x, y, null).item() - value;
    };
    const run = await lvHba(start, {
      ...{ ...saddle, alpha, eta: 1e-9, penalty: () => penalty, scaleConstraints: "none", maxIterations: 1 },
      initial: { theta, lambda, z: [z] },
    });
    for (const which of ["x", "y"] as const) {
      const at = start.initial[which];
      const slopes: number[] = [];
      for (let i = 0; i < 3; i++) {
        const moved = (by: number) =>
          tensor(
            Float64Array.from(at.data(), (v, j) => (j === i ? v + by : v)),
            float64,
          );
        const value = async (by: number) =>
          which === "x" ? psi(moved(by), start.initial.y) : psi(start.initial.x, moved(by));
        slopes.push(((await value(1e-5)) - (await value(-1e-5))) / 2e-5);
      }
      expectClose(sub(at, run[which]).mul(1 / alpha), slopes, 1e-6);
    }
  });

  it("converges by gap, feasibility and residual", async () => {
    const options = { maxIterations: 5000, gamma1: 2, gamma2: 2, penalty: () => 50, alpha: 0.1, checkEvery: 50 };
    const run = await lvHba(halfSpaceProblem(), { ...options, tolerance: 1e-3, gapTolerance: 1 });
    expect(run.status).toBe("converged");
    const { x, y, z } = run.state.inner;
    const measured = await lvHbaResidual(
      halfSpaceProblem(),
      { x, y, z },
      { penalty: 50, gamma1: 2, gamma2: 2, alpha: 0.1 },
    );
    expect(measured.residual).toBeLessThan(2e-3);
    expect(measured.gap).toBeGreaterThan(-1e-9);
  });

  it("with many steps on the saddle point is the double-loop method, which goes the same way", async () => {
    const options = { maxIterations: 3000, gamma1: 2, gamma2: 2, alpha: 0.05 };
    const [single, double] = [
      await lvHba(halfSpaceProblem(), options),
      await lvHba(halfSpaceProblem(), { ...options, saddleSteps: 20 }),
    ];
    expectClose(double.x, single.x, 1e-3);
  });

  it("that diverges says so, with the last good state, where the projections refuse what is not finite", async () => {
    const affine = {
      ...halfSpaceProblem(2),
      ...affineConstraints({
        x: [
          [1, 1],
          [1, 0],
        ],
        y: [
          [1, 1],
          [0, -1],
        ],
        bounds: [1, 2],
      }),
    };
    const examples = { features: [[1], [2], [-1], [0.5]], labels: [1, 1, -1, -1] };
    const svm = svmHyperParameters({ train: examples, validation: examples });
    for (const problem of [affine, svm]) {
      const broken = { ...problem, upper: (x: Tensor, y: Tensor) => mul(problem.upper(x, y, null), Number.NaN) };
      const error = await failureOf(() => lvHba(broken, { maxIterations: 3 }));
      expect(error).toEqual(errorLike("NonFiniteError", /./));
      expect(error).toHaveProperty("state.iterations", 0);
    }
  });

  it("says of a steep lower function what to divide by, and then solves it", async () => {
    const problem = halfSpaceProblem();
    const times = (factor: number) => ({
      ...problem,
      upper: (x: Tensor, y: Tensor) => mul(problem.upper(x, y, null), factor),
      lower: (x: Tensor, y: Tensor) => mul(problem.lower(x, y, null), factor),
    });
    const options = { maxIterations: 1000, gamma1: 2, gamma2: 2 };
    const { message } = await failureOf(() => lvHba(times(1e3), options));
    const [, size] = /second derivatives .* are about (\S+) at .*: divide the upper and the lower function by/.exec(
      message,
    )!;
    expect(Number(size)).toBeGreaterThan(500);
    const [divided, plain] = [await lvHba(times(1e3 / Number(size)), options), await lvHba(problem, options)];
    expectClose(divided.x, plain.x, 0.05);
  });

  it("records what evaluate gives or promises, and refuses what is no object of numbers", async () => {
    const problem = halfSpaceProblem();
    const once = (evaluate: () => unknown) => lvHba(problem, { maxIterations: 1, evaluate: evaluate as never });
    const { history } = await once(async () => ({ error: 2 }));
    expect(history[0].evaluation).toEqual({ error: 2 });
    await expect(once(() => 3)).rejects.toThrow(/^lvHba: evaluate gave 3; it must give an object of numbers/);
  });

  it("says what is wrong", async () => {
    const problem = halfSpaceProblem();
    const run = (options: object) => lvHba(problem, { maxIterations: 2, ...options });
    await expect(run({ p: 1 })).rejects.toThrow(/p is 1; it must be in \(0, 1\)/);
    expect((await run({ p: 0.6 })).warning).toMatch(/below 1\/2/);
    await expect(run({ scaleConstraints: [1, 2] })).rejects.toThrow(/1 positive numbers/);
    await expect(run({ initial: { lambda: [1, 2] } })).rejects.toThrow(/initial.lambda has shape \[2\]/);
    const scalar = { ...problem, constraints: (x: Tensor) => x.sum() };
    await expect(lvHba(scalar, { maxIterations: 1 })).rejects.toThrow(/constraints gave shape \[\]/);
    const far = { ...problem, projectJointly: (x: Tensor, y: Tensor) => ({ x: x.add(9), y }) };
    await expect(lvHba(far, { maxIterations: 1 })).rejects.toThrow(/violates the constraints/);
    const misspelt = { ...problem, equality: undefined, equalities: [true] };
    await expect(lvHba(misspelt, { maxIterations: 1 })).rejects.toThrow(/has `equalities` and no `equality`/);
  });
});
