import {
  add,
  concatenate,
  log,
  mul,
  neg,
  split,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";
import { errorLike } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  type AdaSketchOptions,
  adaSketchNewton,
  augmentedLagrangian,
  type EqualityProblem,
  l1Sqp,
} from "../src/index.js";
import { asCallbacks, hs, length, quadraticProgramme, vector } from "./problems.js";

const exact = { sketch: { kind: "exact" } } as const;
const sphere = (objective: (x: Tensor) => Tensor): EqualityProblem => ({
  objective,
  constraints: (x) => sub(sum(square(x)), 1),
});

describe("adaSketchNewton", () => {
  it("takes one full step on a convex quadratic with linear constraints", async () => {
    for (const sketch of [{ kind: "exact" }, { kind: "kaczmarz" }, { kind: "gaussian" }] as const) {
      const { history, status } = await adaSketchNewton(quadraticProgramme(1), new Float64Array(6).fill(1), { sketch });
      expect(status).toBe("converged");
      expect(history.map(({ stepSize }) => stepSize)).toEqual([1]);
    }
  });

  it("takes only directions that lower the merit function enough; penalties and accuracy are monotone", async () => {
    for (const number of [6, 7, 39, 77]) {
      const { problem, start } = hs(number);
      const { history } = await adaSketchNewton(problem, start, { tolerance: 1e-6, deltaFloor: 1e-9 });
      for (const [k, record] of history.entries()) {
        if (k === 0) continue;
        const before = history[k - 1];
        expect(record.slope).toBeLessThanOrEqual(-(record.eta2 / 2) * before.kkt ** 2);
        expect(record.eta1).toBeGreaterThanOrEqual(before.eta1);
        expect(record.eta2).toBeLessThanOrEqual(before.eta2);
        expect(record.delta).toBeLessThanOrEqual(before.delta);
        expect(record.delta).toBeGreaterThanOrEqual(1e-9);
        if (record.eta1 === before.eta1) expect(record.merit).toBeLessThan(before.merit);
      }
    }
  });

  it("raises eta1 and lowers eta2 and delta until the direction descends, and refines it meanwhile", async () => {
    const { problem, start } = hs(78);
    // So small a psi takes no direction at all for an accurate one.
    const { history, status } = await adaSketchNewton(problem, start, { psi: 1e-6, eta1: 0.5 });
    const [first] = history;
    expect(status).toBe("converged");
    expect(first.penaltyUpdates).toBeGreaterThan(0);
    expect(first.eta1).toBeCloseTo(0.5 * 1.5 ** (2 * first.penaltyUpdates), 6);
    expect(first.eta2).toBeCloseTo(0.1 / 1.5 ** first.penaltyUpdates, 12);
    expect(first.delta).toBeLessThanOrEqual(0.1 / 1.5 ** (4 * first.penaltyUpdates));
    expect(first.innerSteps).toBeGreaterThan(0);
  });

  it("shifts the Hessian where its part along the constraints is not positive, and only there", async () => {
    const start = [0.8, 0.7];
    const convex = await adaSketchNewton(
      sphere((x) => sum(square(x))),
      start,
      { maxIterations: 1 },
    );
    const concave = await adaSketchNewton(
      sphere((x) => neg(sum(square(x)))),
      start,
      { maxIterations: 1 },
    );
    expect(convex.history[0].shift).toBe(0);
    expect(concave.history[0].shift).toBeCloseTo(0.1 + Math.sqrt(8), 12);
    const given = await adaSketchNewton(
      sphere((x) => sum(x)),
      start,
      { maxIterations: 1, shift: 3 },
    );
    expect(given.history[0].shift).toBe(3);
  });

  it("solves square systems, where there is no null space, and problems without constraints", async () => {
    const square2 = { objective: (x: Tensor) => sum(x), constraints: (x: Tensor) => sub(mul(x, x), 1) };
    const { x, status } = await adaSketchNewton(square2, [2, 0.5]);
    expect(status).toBe("converged");
    expect(length(sub(x, 1))).toBeLessThan(1e-4);
    const rosenbrock = (v: Tensor) => {
      const [a, b] = split(v, 2);
      return sum(add(square(sub(1, a)), square(sub(b, square(a)))));
    };
    for (const kind of ["kaczmarz", "gaussian"] as const) {
      const options = { sketch: { kind }, maxInnerSteps: 2000 };
      const free = await adaSketchNewton({ objective: rosenbrock }, [0.8, 0.7], options);
      expect(free.status).toBe("converged");
      expect(length(sub(free.x, 1))).toBeLessThan(1e-3);
      expect(free.multipliers.size).toBe(0);
    }
  });

  it("minimises over a tree of tensors", async () => {
    const problem: EqualityProblem<{ a: Tensor; b: Tensor }> = {
      objective: ({ a, b }) => add(sum(square(a)), sum(square(b))),
      constraints: ({ a, b }) =>
        concatenate(
          [sub(sum(a), 2), sub(b, 3)].map((c) => c.reshape([-1])),
          0,
        ),
    };
    const { x } = await adaSketchNewton(problem, { a: vector([0, 1]), b: tensor(1, { dtype: "float64" }) });
    expect(length(sub(x.a, 1))).toBeLessThan(1e-6);
    expect(x.b.item()).toBeCloseTo(3, 6);
    expect(x.b.shape).toEqual([]);
  });

  it("gives the same from callbacks as from traced functions, and asks them once for each point", async () => {
    const { problem, start } = hs(77);
    const callbacks = asCallbacks(problem);
    const [traced, called] = [await adaSketchNewton(problem, start), await adaSketchNewton(callbacks, start)];
    expect(called.iterations).toBe(traced.iterations);
    expect(length(sub(called.x, traced.x))).toBeLessThan(1e-6);
    expect(called.evaluations).toEqual(traced.evaluations);
    expect(callbacks.calls).toBe(called.evaluations.objective);
  });

  it("needs no matrices where products with the Hessian are enough", async () => {
    const { problem, start, least } = hs(79);
    const options: AdaSketchOptions = { derivatives: "products", maxInnerSteps: 2000, tolerance: 1e-2 };
    const near = [1.2, 1.4, 1.5, 1.8, 1.7];
    const traced = await adaSketchNewton(problem, near, options);
    expect(traced.status).toBe("converged");
    expect(traced.objective).toBeCloseTo(least, 3);
    const blocks = { ...options, sketch: { kind: "block", size: 3 }, maxInnerSteps: 500 } as const;
    expect((await adaSketchNewton(problem, near, blocks)).objective).toBeCloseTo(least, 3);
    const called = await adaSketchNewton(asCallbacks(problem), near, {
      ...options,
      maxInnerSteps: 20,
      maxIterations: 1,
    });
    expect(called.history).toHaveLength(1);
    expect(start).toHaveLength(5);
  });

  it("asks for more accurate directions under theta = 1/(k+1)^2 than under theta = 1", async () => {
    const { problem, start } = hs(78);
    const options = { psi: 1e-3, deltaFloor: 0.5, delta: 0.5, tolerance: 1e-10, maxIterations: 5 };
    const constant = await adaSketchNewton(problem, start, options);
    for (const theta of ["inverseSquare", (k: number) => 1 / (k + 1) ** 2] as const) {
      const faster = await adaSketchNewton(problem, start, { ...options, theta });
      expect(faster.history[4].relativeResidual).toBeLessThan(constant.history[4].relativeResidual);
    }
    const residual = await adaSketchNewton(problem, start, { ...options, theta: "residual", psi: "inverseNorm" });
    expect(residual.history.length).toBeGreaterThan(2);
  });

  it("ends, without an exception, where the Jacobian has lost its rank or no step is left", async () => {
    const twice = { objective: (x: Tensor) => sum(square(x)), constraints: (x: Tensor) => stack([sum(x), sum(x)]) };
    expect((await adaSketchNewton(twice, [1, 2])).status).toBe("singularJacobian");
    const unsmooth = { objective: (x: Tensor) => sum(x.abs().sqrt()) };
    const { status } = await adaSketchNewton(unsmooth, [0.5], { maxIterations: 200, shift: 0 });
    expect(["inaccurate", "limit"]).toContain(status);
  });

  it("is decided by its seed", async () => {
    const { problem, start } = hs(40);
    const [a, b, c] = await Promise.all([1, 1, 2].map((seed) => adaSketchNewton(problem, start, { seed })));
    expect(a.x.toArray()).toEqual(b.x.toArray());
    expect(a.x.toArray()).not.toEqual(c.x.toArray());
  });
});

describe("the baselines", () => {
  it("solve the problems to the same solutions; the augmented Lagrangian diverges on HS40", async () => {
    for (const number of [7, 28, 42, 78]) {
      const { problem, start, least } = hs(number);
      const results = [
        await l1Sqp(problem, start, { tolerance: 1e-6 }),
        await l1Sqp(problem, start, { termination: "adaptive", tolerance: 1e-6 }),
        await augmentedLagrangian(problem, start, { tolerance: 1e-6 }),
      ];
      for (const { objective, status } of results) {
        expect(status).toBe("converged");
        expect(Math.abs(objective - least)).toBeLessThan(1e-4);
      }
      expect(results[2].outerIterations).toBeGreaterThan(0);
    }
    const { problem, start } = hs(40);
    expect((await augmentedLagrangian(problem, start, { maxIterations: 50 })).status).not.toBe("converged");
  });

  it("reach high accuracies: the augmented Lagrangian asks its minimisations for no more than that", async () => {
    const problem = sphere((x) => {
      const [a, b] = split(sub(x, [3, 0]), 2);
      return sum(add(square(square(a)), square(b)));
    });
    for (const tolerance of [1e-6, 1e-8, 1e-10]) {
      const { x, status, iterations } = await augmentedLagrangian(problem, [2, 1.5], { tolerance });
      expect(status).toBe("converged");
      expect(length(sub(x, [1, 0]))).toBeLessThan(tolerance);
      expect(iterations).toBeLessThan(60);
    }
  });

  it("count evaluations as their merit functions need them", async () => {
    const { problem, start } = hs(6);
    const { evaluations, iterations } = await l1Sqp(problem, start, { termination: "adaptive" });
    expect(evaluations.gradient).toBe(iterations + 1);
    expect(evaluations.objective).toBeGreaterThan(iterations + 1);
    const ours = await adaSketchNewton(problem, start, exact);
    expect(ours.evaluations.gradient).toBe(ours.evaluations.objective);
  });
});

describe("a state", () => {
  it("is refused where the problem has another number of constraints", async () => {
    const { problem, start } = hs(78);
    const fewer = { ...problem, constraints: (x: Tensor) => sub(sum(square(x)), 10) };
    const message = /a problem with 5 variables and 3 constraints, not 5 and 1/;
    const ours = await adaSketchNewton(problem, start, { maxIterations: 1 });
    await expect(adaSketchNewton(fewer, start, { resume: ours.state })).rejects.toThrow(message);
    const baseline = await l1Sqp(problem, vector(start), { maxIterations: 1 });
    await expect(l1Sqp(fewer, vector(start), { resume: baseline.state })).rejects.toThrow(message);
  });
});

describe("bad input", () => {
  const { problem, start } = hs(28);
  const run = (options: object, initial: readonly number[] = start) => adaSketchNewton(problem, initial, options);

  it("is refused with the option's name", async () => {
    for (const bad of [{ beta: 0.5 }, { beta: 0 }, { nu: 1 }, { delta: 0 }, { eta1: -1 }, { eta2: 0 }, { xiB: 0 }]) {
      await expect(run(bad)).rejects.toEqual(errorLike("ValueError", new RegExp(Object.keys(bad)[0])));
    }
    await expect(run({ multipliers: [1, 2] })).rejects.toEqual(errorLike("ShapeError", /multipliers.*1 constraints/));
    await expect(run({ theta: () => 2 })).rejects.toThrow(/theta gave 2 for iteration 0; it must be in \(0, 1\]/);
    await expect(run({ derivatives: "products", sketch: { kind: "kaczmarz" } })).rejects.toThrow(/does not form/);
  });

  it("is refused where the problem cannot be one", async () => {
    const many = { objective: (x: Tensor) => sum(x), constraints: (x: Tensor) => concatenate([x, x], 0) };
    await expect(adaSketchNewton(many, [1, 2])).rejects.toEqual(
      errorLike("ShapeError", /4 constraints for 2 variables/),
    );
    await expect(adaSketchNewton({ objective: (x) => x }, [1, 2])).rejects.toThrow(/objective gave shape \[2\]/);
    await expect(adaSketchNewton({ objective: (x) => sum(log(x)) }, [-1])).rejects.toEqual(
      errorLike("NonFiniteError", /not finite/),
    );
    // A constraint under another name would be none at all.
    const misspelt = { objective: problem.objective, constraint: problem.constraints };
    const message = /the problem: there is no option "constraint"/;
    await expect(adaSketchNewton(misspelt, start)).rejects.toThrow(message);
    await expect(l1Sqp(misspelt, vector(start))).rejects.toThrow(message);
    await expect(augmentedLagrangian(misspelt, vector(start))).rejects.toThrow(message);
    const list = { ...problem, constraints: [1] as never };
    await expect(adaSketchNewton(list, start)).rejects.toEqual(errorLike("ValueError", /constraints is object; give/));
    const { hessian: _, ...incomplete } = asCallbacks(problem);
    await expect(adaSketchNewton(incomplete, [1, 2, 3])).rejects.toThrow(/problem has no hessian/);
    const wrong = { ...asCallbacks(problem), hessian: () => [[1]] };
    await expect(adaSketchNewton(wrong, [1, 2, 3])).rejects.toThrow(/hessian has shape \[1,1\]; it must be \[3,3\]/);
    const told = { objective: 1, gradient: [1, 2, 3], constraints: [1], jacobian: [[1], [2], [3]] };
    await expect(adaSketchNewton({ ...wrong, first: () => told }, [1, 2, 3])).rejects.toEqual(
      errorLike("ShapeError", /jacobian has shape \[3,1\]; it must be \[1,3\]/),
    );
    const without = { objective: 1, gradient: [1, 2, 3], jacobian: [[1, 2, 3]] };
    await expect(adaSketchNewton({ ...wrong, first: () => without }, [1, 2, 3])).rejects.toThrow(
      /a jacobian without constraints/,
    );
    const noGradient = { objective: 1, gradient: undefined as never };
    await expect(adaSketchNewton({ ...wrong, first: () => noGradient }, [1, 2, 3])).rejects.toThrow(
      /gradient is undefined; give an array of numbers \[3\]/,
    );
    await expect(adaSketchNewton({ ...wrong, first: () => undefined as never }, [1, 2, 3])).rejects.toEqual(
      errorLike("ValueError", /first gave undefined; it must give \{ objective, gradient/),
    );
    const triangle = () => [
      [2, 1, 0],
      [0, 2, 1],
      [0, 0, 2],
    ];
    const upper = { ...asCallbacks(problem), hessian: triangle };
    await expect(adaSketchNewton(upper, [1, 2, 3])).rejects.toEqual(
      errorLike("ValueError", /hessian is not symmetric/),
    );
  });
});
