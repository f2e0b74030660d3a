import { hessian, linalg, mul, sub, type Tensor } from "@offprint/tensor-core";
import { errorLike, expectClose, failureOf, numericalGradient } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { hypergradient, oracles, solveLower, trueGradientNorm } from "../src/index.js";
import { logisticCleaning, noisyQuadratic, quadraticProblem } from "./problems.js";

const problem = logisticCleaning(2);
const { x } = problem.initial;

/** The lower solution by Newton's method with dense Hessians. */
function denseNewton(at: Tensor): Tensor {
  let y = problem.initial.y;
  const o = oracles(problem);
  for (let k = 0; k < 30; k++) {
    y = sub(y, linalg.solve(hessian((v: Tensor) => problem.lower(at, v, null))(y), o.gradYG(at, y, null)));
  }
  return y;
}

describe("hypergradient", () => {
  it("has the sign and size of a closed form", async () => {
    const { problem: quadratic, star, gradient } = quadraticProblem(3);
    const at = quadratic.initial.x;
    for (const solver of ["exact", "conjugateGradients"] as const) {
      const found = await hypergradient(quadratic, at, star(at), { solver });
      expectClose(found.gradient, gradient(at), 1e-9);
      expect(found.residualNorm).toBeLessThan(1e-9);
    }
  });

  it("by conjugate gradients is the dense solution and what central differences of the outer function show", async () => {
    const y = denseNewton(x);
    const cg = await hypergradient(problem, x, y, { tolerance: 1e-12 });
    const exact = await hypergradient(problem, x, y, { solver: "exact" });
    expectClose(cg.gradient, exact.gradient, 1e-9);
    const differences = numericalGradient((at) => problem.upper(at, denseNewton(at), null), x, { step: 1e-6 });
    expectClose(cg.gradient, differences, 1e-6);
  });

  it("by a long Neumann series is that of conjugate gradients, and by descent too", async () => {
    const y = denseNewton(x);
    const { gradient, z } = await hypergradient(problem, x, y);
    for (const solver of ["neumann", "sgd"] as const) {
      const series = await hypergradient(problem, x, y, { solver, stepSize: 2, maxIterations: 400 });
      expectClose(series.gradient, gradient, 1e-9);
      expectClose(series.z, z, 1e-9);
    }
  });

  it("by descent contracts by at most max |1 - step lambda| in each step", async () => {
    const { problem: quadratic, star, a, t } = quadraticProblem(3);
    const at = quadratic.initial.x;
    const target = linalg.solve(a, sub(star(at), t));
    const stepSize = 0.2;
    const factor = Math.max(...[1, 2, 3, 4].map((lambda) => Math.abs(1 - stepSize * lambda)));
    let before = Math.hypot(...target.data());
    for (let k = 1; k < 8; k++) {
      const { z } = await hypergradient(quadratic, at, star(at), { solver: "sgd", stepSize, maxIterations: k });
      const distance = Math.hypot(...sub(z, target).data());
      expect(distance).toBeLessThan(before * factor * (1 + 1e-9));
      before = distance;
    }
  });

  it("reports a step above 2 over the largest curvature", async () => {
    const { problem: quadratic, star } = quadraticProblem(3);
    const at = quadratic.initial.x;
    for (const solver of ["neumann", "sgd"] as const) {
      for (const maxIterations of [5, 1000]) {
        await expect(
          hypergradient(quadratic, at, star(at), { solver, stepSize: 0.55, maxIterations: maxIterations * 10 }),
        ).rejects.toThrow(/stepSize 0.55 is above 2 over the largest curvature/);
      }
    }
  });

  it("by descent begins anywhere, and refuses a beginning and batches where it has no use for them", async () => {
    const { problem: quadratic, star, a, t } = quadraticProblem(3);
    const at = quadratic.initial.x;
    const z = linalg.solve(a, sub(star(at), t));
    for (const far of [0, 1e6]) {
      const options = { solver: "sgd", stepSize: 0.2, maxIterations: 300, initial: z.add(far) } as const;
      expectClose((await hypergradient(quadratic, at, star(at), options)).z, z, 1e-9);
    }
    const growing = { solver: "sgd", stepSize: 0.55, maxIterations: 50, initial: z.add(1) } as const;
    await expect(hypergradient(quadratic, at, star(at), growing)).rejects.toThrow(/stepSize 0.55 is above 2/);
    for (const solver of ["exact", "neumann"] as const) {
      const run = hypergradient(quadratic, at, star(at), { solver, initial: z });
      await expect(run).rejects.toThrow(/initial begins conjugateGradients and sgd/);
    }
    for (const solver of ["exact", "conjugateGradients"] as const) {
      const run = hypergradient(quadratic, at, star(at), { solver, sampled: true });
      await expect(run).rejects.toThrow(/sampled is for neumann and sgd/);
    }
  });

  it("averages over drawn batches where that is asked for", async () => {
    const { problem: noisy, star, gradient } = noisyQuadratic(3);
    const at = noisy.initial.x;
    const options = { solver: "sgd", sampled: true, stepSize: 0.02, maxIterations: 2000 } as const;
    const found = await hypergradient(noisy, at, star(at), options);
    expectClose(found.gradient, gradient(at), 0.2);
    expect(found.residualNorm).toBeGreaterThan(1e-6);
  });
});

describe("solveLower and trueGradientNorm", () => {
  const { problem: quadratic, star } = quadraticProblem(2);
  const at = quadratic.initial.x;
  const times = (factor: number) => ({
    ...quadratic,
    lower: (a: Tensor, b: Tensor) => mul(quadratic.lower(a, b, null), factor),
  });

  it("come to the same for lower functions of any size", async () => {
    const { norm } = await trueGradientNorm(quadratic, at);
    for (const factor of [1e-300, 1e-200, 1e-150, 1e150, 1e200, 1e300]) {
      const { y, status } = await solveLower(times(factor), at);
      expect(status).toBe("converged");
      expectClose(y, star(at), 1e-9);
      expect((await trueGradientNorm(times(factor), at)).norm).toBeCloseTo(norm, 9);
    }
  });

  it("refuse lower functions that do not curve upwards, or have no gradient that is finite", async () => {
    for (const factor of [0, -1]) {
      expect(await failureOf(() => trueGradientNorm(times(factor), at))).toEqual(
        errorLike("ConvergenceError", /lower does not curve upwards at y/),
      );
    }
    const steep = { ...quadratic, lower: (a: Tensor, b: Tensor) => mul(mul(quadratic.lower(a, b, null), 1e300), 1e10) };
    expect(await failureOf(() => solveLower(steep, at))).toEqual(
      errorLike("NonFiniteError", /the gradient of lower at/),
    );
  });

  it("find the lower solution, by every method", async () => {
    const y = denseNewton(x);
    const newton = await solveLower(problem, x);
    expect(newton.status).toBe("converged");
    expectClose(newton.y, y, 1e-9);
    const descent = await solveLower(problem, x, { method: "gradientDescent", stepSize: 2, tolerance: 1e-9 });
    expect(descent.status).toBe("converged");
    expectClose(descent.y, y, 1e-7);
    const noisy = noisyQuadratic(4);
    const at = noisy.problem.initial.x;
    const stochastic = await solveLower(noisy.problem, at, { method: "sgd", stepSize: 0.01, maxIterations: 3000 });
    expectClose(stochastic.y, noisy.star(at), 0.1);
  });

  it("find it in any unit of the lower function", async () => {
    const y = denseNewton(x);
    for (const unit of [1e-13, 1e-6, 1e6, 1e12]) {
      const scaled = {
        ...problem,
        lower: (...args: Parameters<typeof problem.lower>) => problem.lower(...args).mul(unit),
      };
      const newton = await solveLower(scaled, x);
      expect(newton.status).toBe("converged");
      expectClose(newton.y, y, 1e-9);
    }
  });

  it("give the norm of the gradient of the outer function", async () => {
    const { problem: quadratic, gradient, minimiser } = quadraticProblem(5);
    const at = quadratic.initial.x;
    expect((await trueGradientNorm(quadratic, at)).norm).toBeCloseTo(Math.hypot(...gradient(at).data()), 8);
    expect((await trueGradientNorm(quadratic, minimiser)).norm).toBeLessThan(1e-8);
  });

  it("diverge with an error that carries the last good state", async () => {
    const run = solveLower(problem, x, { method: "gradientDescent", stepSize: 1e200, maxIterations: 50 });
    await expect(run).rejects.toMatchObject({ name: "NonFiniteError", state: { history: expect.any(Array) } });
  });

  it("refuse options that would do nothing", async () => {
    const { problem: quadratic, star } = quadraticProblem(5);
    const at = quadratic.initial.x;
    const idle = [
      [{ solver: "exact", stepSize: 0.1 }, /stepSize does nothing with solver "exact"/],
      [{ solver: "exact", tolerance: 0.1 }, /tolerance does nothing with solver "exact"/],
      [{ stepSize: 0.1 }, /stepSize does nothing with solver "conjugateGradients"/],
      [{ seed: 1 }, /seed does nothing with all data/],
      [{ solver: "neumann", tolerance: 0.1 }, /tolerance does nothing with solver "neumann"/],
      [{ solver: "sgd", sampled: "no" as never }, /sampled is "no"; it must be one of true, false/],
    ] as const;
    for (const [options, message] of idle) {
      await expect(hypergradient(quadratic, at, star(at), options)).rejects.toThrow(errorLike("ValueError", message));
    }
    for (const [options, message] of [
      [{ stepSize: 0.1 }, /stepSize does nothing with method "newton"/],
      [{ method: "gradientDescent", seed: 1 }, /seed does nothing with method "gradientDescent"/],
      [{ method: "sgd", tolerance: 1 }, /tolerance does nothing with method "sgd"/],
    ] as const) {
      await expect(solveLower(quadratic, at, options)).rejects.toThrow(errorLike("ValueError", message));
    }
  });

  it("need all data", async () => {
    const { problem: quadratic } = noisyQuadratic(3);
    const { full: _, ...without } = quadratic;
    await expect(solveLower(without, quadratic.initial.x)).rejects.toThrow(/has no `full`/);
  });
});
