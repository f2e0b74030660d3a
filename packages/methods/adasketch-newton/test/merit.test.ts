import { grad, random, type Tensor } from "@offprint/tensor-core";
import { expectClose, numericalGradient } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { adaSketchNewton, exactAugmentedLagrangian } from "../src/index.js";
import { hs, length, vector } from "./problems.js";

describe("the exact augmented Lagrangian", () => {
  it("has the gradient of the paper's formula: that of finite differences and of automatic differentiation", () => {
    for (const number of [7, 40, 77, 78]) {
      const { problem, start } = hs(number);
      const { value, gradient } = exactAugmentedLagrangian(problem, { eta1: 1.3, eta2: 0.2 });
      const rng = random.rng(number);
      const x = rng.normal([start.length], { dtype: "float64" });
      const l = rng.normal([problem.constraints(x).size], { dtype: "float64" });
      const formula = gradient(x, l);
      expectClose(
        formula.x,
        numericalGradient((v) => value(v, l), x),
        { relative: 1e-6, absolute: 1e-6 },
      );
      expectClose(formula.x, grad((v: Tensor) => value(v, l))(x), 1e-9);
      expectClose(formula.multipliers, grad((v: Tensor) => value(x, v))(l), 1e-9);
    }
  });

  it("is stationary at a KKT point, and not where a constraint or the gradient of the Lagrangian is off", async () => {
    const { problem, start } = hs(78);
    const { x, multipliers } = await adaSketchNewton(problem, start, { tolerance: 1e-11 });
    const { gradient } = exactAugmentedLagrangian(problem, { eta1: 10, eta2: 0.01 });
    const at = gradient(x, multipliers);
    expect(length(at.x) + length(at.multipliers)).toBeLessThan(1e-9);
    const moved = gradient(x.add(1e-2), multipliers);
    expect(length(moved.x)).toBeGreaterThan(1e-3);
    const lifted = gradient(x, multipliers.add(1e-2));
    expect(length(lifted.x) + length(lifted.multipliers)).toBeGreaterThan(1e-4);
  });

  it("needs no constraints, and positive weights", () => {
    const { problem, start } = hs(28);
    const { objective } = problem;
    const { value, gradient } = exactAugmentedLagrangian({ objective }, { eta1: 1, eta2: 0.2 });
    const [x, none] = [vector(start), vector([])];
    expectClose(gradient(x, none).x, grad((v: Tensor) => value(v, none))(x), 1e-12);
    expect(() => exactAugmentedLagrangian(problem, { eta1: -1, eta2: 0.2 })).toThrow(/eta1 is -1/);
    expect(() => exactAugmentedLagrangian(problem, { eta1: 1 } as never)).toThrow(/there is no eta2/);
  });
});
