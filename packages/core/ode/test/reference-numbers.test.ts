import { add, mul, neg, pow, sub, type Tensor, tensor } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { solve, solveSync } from "../src/index.js";

const tolerances = { relativeTolerance: 1e-6, absoluteTolerance: 1e-6 };

describe("numbers of the sheet, from an independent implementation of Tsit5", () => {
  const checkDecay = (solution: {
    steps: number;
    rejected: number;
    evaluations: number;
    stepSizes: Float64Array;
    errors: Float64Array;
    stiffness: Float64Array;
  }) => {
    expect([solution.steps, solution.rejected, solution.evaluations]).toEqual([13, 0, 80]);
    const expected = [0.021337567, 0.0387099374, 0.0463232584, 0.0572051317, 0.0656578924, 0.0747752926];
    expectClose(solution.stepSizes.slice(0, 6), expected, 1e-9);
    expectClose(solution.stepSizes.at(-1), 0.0978458634, 1e-9);
    expectClose([solution.errors[0], solution.errors[12]], [3.4653696e-5, 0.0231578953], { relative: 1e-6 });
    const mean = solution.errors.reduce((sum, e, j) => sum + e * solution.stepSizes[j], 0) / 13;
    expectClose(mean, 0.00249101762, { relative: 1e-7 });
    expectClose(solution.stiffness, new Array(13).fill(2), 1e-8);
  };

  it("decay, y' = -2 y from 1.3, in plain numbers and in tensors", async () => {
    checkDecay(await solve((_t: number, y: number) => -2 * y, 1.3, [0, 1], tolerances));
    checkDecay(solveSync((_t: Tensor, y: Tensor) => mul(y, -2), tensor(1.3, { dtype: "float64" }), [0, 1], tolerances));
  });

  it("an oscillator with friction and a cubic spring", () => {
    const spring = (_t: Tensor, { x, v }: { x: Tensor; v: Tensor }) => ({
      x: v,
      v: sub(neg(x), add(mul(v, 0.3), pow(x, 3))),
    });
    const solution = solveSync(
      spring,
      { x: tensor(1, { dtype: "float64" }), v: tensor(0, { dtype: "float64" }) },
      [0, 5],
      tolerances,
    );
    expect([solution.steps, solution.evaluations]).toEqual([35, 212]);
    expectClose([solution.end.y.x.item(), solution.end.y.v.item()], [0.4566042, 0.2009174], 1e-7);
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / 35;
    expectClose(mean(Array.from(solution.errors, (e, j) => e * solution.stepSizes[j])), 0.01677296, { relative: 1e-6 });
    expectClose(mean(Array.from(solution.stiffness, (s) => s / 3.5068)), 0.39449066, { relative: 1e-6 });
  });
});
