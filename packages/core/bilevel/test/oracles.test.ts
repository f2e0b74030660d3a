import {
  add,
  dot,
  matmul,
  mul,
  neg,
  random,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
} from "@offprint/tensor-core";
import { expectClose, numericalGradient } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { type BilevelProblem, oracles } from "../src/index.js";
import { logisticCleaning, quadraticProblem } from "./problems.js";

const float64 = { dtype: "float64" } as const;

describe("oracles", () => {
  it("are the derivatives of a quadratic problem", () => {
    const { problem, w, a, t } = quadraticProblem(1);
    const { x, y } = problem.initial;
    const v = random.rng(9).normal([4], float64);
    const o = oracles(problem);
    const residual = sub(y, matmul(w, x));
    expectClose(o.gradXF(x, y, null), mul(x, 0.1), 1e-12);
    expectClose(o.gradYF(x, y, null), sub(y, t), 1e-12);
    expectClose(o.gradYG(x, y, null), matmul(a, residual), 1e-12);
    expectClose(o.gradXG(x, y, null), neg(matmul(transpose(w), matmul(a, residual))), 1e-12);
    expectClose(o.hvpYY(x, y, v, null), matmul(a, v), 1e-12);
    expectClose(o.mixedXY(x, y, v, null), neg(matmul(transpose(w), matmul(a, v))), 1e-12);
    const both = o.productsG(x, y, v, null);
    expectClose(both.x, o.mixedXY(x, y, v, null), 1e-12);
    expectClose(both.y, o.hvpYY(x, y, v, null), 1e-12);
  });

  it("multiply by a symmetric matrix, and mixed products are slopes of the gradient in y", () => {
    const problem = logisticCleaning(2);
    const { x, y } = problem.initial;
    const o = oracles(problem);
    const [u, v] = [3, 4].map((seed) => random.rng(seed).normal([5], float64));
    expectClose(dot(u, o.hvpYY(x, y, v, null)), dot(v, o.hvpYY(x, y, u, null)), 1e-13);
    expectClose(
      o.mixedXY(x, y, v, null),
      numericalGradient((at) => dot(o.gradYG(at, y, null), v), x),
      1e-8,
    );
    expectClose(
      o.hvpYY(x, y, v, null),
      numericalGradient((at) => dot(o.gradYG(x, at, null), v), y),
      1e-8,
    );
  });

  it("count every call, and nothing else", () => {
    const { problem } = quadraticProblem(1);
    const { x, y } = problem.initial;
    const o = oracles(problem);
    for (let k = 0; k < 3; k++) o.hvpYY(x, y, y, null);
    o.gradsF(x, y, null);
    expect(o.counts).toEqual({
      ...{ gradXF: 0, gradYF: 0, gradsF: 1, gradXG: 0, gradYG: 0, hvpYY: 3, mixedXY: 0, productsG: 0 },
    });
    o.resetCounts();
    expect(o.counts.hvpYY).toBe(0);
  });

  it("take trees, and numbers as float64", () => {
    type X = { a: Tensor; b: Tensor };
    const problem: BilevelProblem<X, Tensor[]> = {
      initial: { x: { a: tensor(2, float64), b: tensor([1, 3], float64) }, y: [tensor([0.1, 0.2], float64)] },
      upper: ({ a }, [y]) => mul(a, sum(y)),
      lower: ({ a, b }, [y]) => sum(square(sub(y, mul(a, b)))),
    };
    const o = oracles(problem);
    const { x, y } = o.gradsF(problem.initial.x, problem.initial.y, null);
    expectClose(x.a, 0.3, 1e-12);
    expectClose(x.b, [0, 0], 1e-12);
    expectClose(y[0], [2, 2], 1e-12);
  });

  it("say what is wrong with a problem", () => {
    const one = tensor([1], float64);
    const bad = { initial: { x: one, y: one }, upper: (_: Tensor, y: Tensor) => y, lower: (x: Tensor) => add(x, 1) };
    expect(() => oracles(bad).gradYF(one, one, null)).toThrow(/upper gave shape \[1\]/);
    expect(() => oracles(bad).gradYG(one, one, null)).toThrow(/lower gave shape \[1\]/);
    expect(() => oracles({ ...bad, upper: 3 } as never)).toThrow(/no function `upper`/);
    expect(() => oracles({ upper: bad.upper, lower: bad.lower } as never)).toThrow(/no initial x and y/);
    expect(() => oracles({ ...bad, initial: { x: [Number.NaN], y: one } } as never)).toThrow(/initial.x holds NaN/);
    const draws = { upper: () => one, lower: () => one };
    expect(() => oracles({ ...bad, samples: draws } as never)).toThrow(/has `samples` and no `sample`/);
    expect(() => oracles({ ...bad, projct: { upper: one } } as never)).toThrow(/has `projct` and no `project`/);
    expect(() => oracles({ ...bad, samples: [1, 2], sampled: true, sample: draws } as never)).not.toThrow();
    expect(() => oracles({ ...bad, sample: null } as never)).toThrow(/sample has no function `upper`/);
    expect(() => oracles({ ...bad, full: { upper: one } } as never)).toThrow(/full has no upper and lower/);
    expect(() => oracles({ ...bad, project: { X: (x: Tensor) => x } } as never)).toThrow(/no option "X".*"x"/);
    expect(() => oracles({ ...bad, project: { x: 3 } } as never)).toThrow(/project.x is 3; give a function/);
  });
});
