import { minimizeLbfgs } from "@offprint/solvers";
import {
  concatenate,
  grad,
  hessian,
  jitSync,
  linalg,
  mul,
  random,
  stopGradient,
  type Tensor,
  take,
  tensor,
  valueAndGrad,
} from "@offprint/tensor-core";
import { expectClose, expectGradient } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { inProcess } from "../claims/in-process-experts.js";
import { waves } from "../claims/waves.js";
import { checkConstraint } from "../src/constraint-options.js";
import { expertProblems } from "../src/expert-problems.js";
import {
  burgers,
  expertJob,
  type Fields,
  hardConstraint,
  navierStokes2d,
  randomVorticity,
  solveConstraint,
  solveOnCluster,
} from "../src/index.js";

const pde = burgers({ times: 8, points: 16 });
const rng = random.rng(4);
const initial = waves(rng, 2, 16);
const basis = rng.normal([2, 8, 16, 4], { dtype: "float64" });
const common = { ridge: 0.1, tolerance: 1e-10, maxIterations: 200 };

describe("the constraint", () => {
  it("is met to the tolerance by every expert, whose squares never grow", async () => {
    const costs: number[] = [];
    const options = { experts: [1, 2], ridge: 0.1, tolerance: 1e-6 };
    const solution = await solveConstraint(
      basis,
      pde,
      { initial },
      { ...options, onProgress: ({ objective }) => costs.push(objective) },
    );
    expect(solution.converged).toEqual([true, true, true, true]);
    expect(Math.max(...solution.gradientNorms.data())).toBeLessThanOrEqual(1e-6);
    costs.slice(1).forEach((cost, k) => {
      expect(cost).toBeLessThanOrEqual(costs[k] * (1 + 1e-12));
    });
    const { size } = expertProblems("test", basis, pde, { initial }, checkConstraint("test", pde, options)).data;
    const parts = solution.objective.div(size.square().reshape([2, 2]));
    expect(parts.sum().item()).toBeCloseTo(costs[costs.length - 1], 8);
  });

  it("is the same by the layer, whole or compiled, as by the solve that is watched", async () => {
    const options = { ...common, experts: [1, 4] };
    const solution = await solveConstraint(basis, pde, { initial }, options);
    const layer = hardConstraint(basis, pde, { initial }, options);
    expectClose(layer.u, solution.u, 1e-8);
    expectClose(layer.weights, solution.weights, 1e-7);
    const compiled = jitSync((b: Tensor) => hardConstraint(b, pde, { initial }, options).u);
    expectClose(compiled(basis), solution.u, 1e-8);
    expect(Math.max(...layer.gradientNorms.data())).toBeLessThanOrEqual(1e-8);
  });

  it("with one expert is that of the whole grid", () => {
    const one = hardConstraint(basis, pde, { initial }, common);
    expect(one.weights.shape).toEqual([2, 1, 4]);
    expectClose(hardConstraint(basis, pde, { initial }, { ...common, experts: [1, 1] }).u, one.u, 1e-12);
  });

  it("is the minimum that another minimiser finds from the same start", async () => {
    const one = { initial: initial.slice([{ stop: 1 }]) };
    const functions = basis.slice([{ stop: 1 }]);
    const shaped = pde.shape?.(functions, one) ?? functions;
    const [terms, offset] = [pde.terms(shaped, one), pde.offset?.(one) ?? {}];
    const squares = (w: Tensor) => {
      const fields = Object.fromEntries(
        Object.entries(terms).map(([name, x]) => [
          name,
          offset[name] === undefined ? x.matmul(w) : x.matmul(w).add(offset[name]),
        ]),
      );
      return pde.residual(fields).square().sum().add(w.square().sum().mul(0.01)).mul(0.5);
    };
    const { x, objective } = await minimizeLbfgs(valueAndGrad(squares), tensor([0, 0, 0, 0], { dtype: "float64" }), {
      gradientTolerance: 1e-10,
    });
    const solution = await solveConstraint(functions, pde, one, common);
    expectClose(solution.weights.reshape([4]), x, 1e-7);
    expect(solution.objective.item()).toBeCloseTo(objective, 10);
  });

  it("is met alike in any unit of the equation", async () => {
    const solved = async (unit: number) => {
      const scaled = { ...pde, residual: (fields: Fields) => pde.residual(fields).mul(unit) };
      return solveConstraint(basis, scaled, { initial }, { experts: [1, 2], ridge: 0.1 * unit });
    };
    const usual = await solved(1);
    for (const unit of [1e-8, 1e-3, 1e3, 1e8]) {
      const found = await solved(unit);
      expect(found.converged).toEqual([true, true, true, true]);
      expect(found.iterations).toBe(usual.iterations);
      expectClose(found.weights, usual.weights, 1e-9);
      expectClose(found.objective.mul(unit ** -2), usual.objective, 1e-9);
    }
  });

  it("permutes its weights with the basis, and divides them by what a function is multiplied by", () => {
    const order = new Int32Array([2, 0, 3, 1]);
    const plain = hardConstraint(basis, pde, { initial }, { ...common, ridge: 0 });
    const permuted = hardConstraint(take(basis, order, 3), pde, { initial }, { ...common, ridge: 0 });
    expectClose(permuted.weights, take(plain.weights, order, 2), 1e-6);
    const scaled = hardConstraint(mul(basis, [2, 1, 1, 1]), pde, { initial }, { ...common, ridge: 0 });
    expectClose(scaled.weights.mul([2, 1, 1, 1]), plain.weights, 1e-6);
  });

  it("of a sample of all points is that of all; a seed fixes the sample", () => {
    const whole = hardConstraint(basis, pde, { initial }, { ...common, experts: [1, 2] });
    const all = hardConstraint(basis, pde, { initial }, { ...common, experts: [1, 2], samplesPerExpert: 64 });
    expectClose(all.u, whole.u, 1e-12);
    const part = (seed: number) =>
      hardConstraint(basis, pde, { initial }, { ...common, experts: [1, 2], samplesPerExpert: 30, seed });
    expect(part(1).u.toArray()).toEqual(part(1).u.toArray());
    expect(part(1).u.toArray()).not.toEqual(part(2).u.toArray());
  });

  it("is the same with experts as jobs", async () => {
    const options = { ...common, experts: [2, 2] };
    const here = inProcess(expertJob(pde.residual), (_, run) => run());
    const solution = await solveOnCluster(here, "expert", basis, pde, { initial }, options);
    expectClose(solution.u, hardConstraint(basis, pde, { initial }, options).u, 1e-8);
    expect(solution.converged).toEqual(Array.from({ length: 4 }, () => [true, true]));
    const failing = inProcess(
      () => Promise.reject(new Error("lost")),
      async () => undefined as never,
    );
    await expect(solveOnCluster(failing, "expert", basis, pde, { initial }, options)).rejects.toThrow(
      /expert 0 failed/,
    );
  });
});

describe("its gradient", () => {
  const lossOf = (b: Tensor, hessian: "full" | "gaussNewton" = "full") => {
    const { fields } = hardConstraint(b, pde, { initial }, { ...common, experts: [1, 2], hessian });
    return pde.residual(fields).square().sum().sqrt();
  };

  it("is that of differences, and compiled the same", () => {
    const direction = [0, 1, 2].map(() => rng.normal([2, 8, 16, 4], { dtype: "float64" }));
    const along = (v: Tensor) => lossOf(direction.reduce((sofar, d, k) => sofar.add(d.mul(v.slice([k]))), basis));
    expectGradient(along, [tensor([0.01, -0.02, 0.03], { dtype: "float64" })], 1e-5);
    const eager = grad((b: Tensor) => lossOf(b))(basis) as Tensor;
    const [, compiled] = jitSync(valueAndGrad((b: Tensor) => lossOf(b)))(basis) as [Tensor, Tensor];
    expectClose(compiled, eager, { ofLargest: 1e-7 });
  });

  it("equals that of Newton's iterations, followed to the end", () => {
    // One step of Newton from the solution, differentiated as it is written.
    const one = burgers({ times: 5, points: 8 });
    const u0 = waves(random.rng(9), 1, 8);
    const functions = random.rng(10).normal([1, 5, 8, 3], { dtype: "float64" });
    const options = { ...common, tolerance: 1e-12 };
    const layer = (b: Tensor) => hardConstraint(b, one, { initial: u0 }, options).weights.reshape([3]);
    const fixed = stopGradient(layer(functions));
    const squares = (w: Tensor, b: Tensor) => {
      const shaped = one.shape?.(b, { initial: u0 }) ?? b;
      const offset = one.offset?.({ initial: u0 }) ?? {};
      const fields = Object.fromEntries(
        Object.entries(one.terms(shaped, { initial: u0 })).map(([name, x]) => {
          const value = x.matmul(w);
          return [name, offset[name] === undefined ? value : value.add(offset[name])];
        }),
      );
      return one.residual(fields).square().sum().add(w.square().sum().mul(0.01)).mul(0.5);
    };
    const newton = (b: Tensor) => {
      const slope = grad((w: Tensor) => squares(w, b))(fixed) as Tensor;
      const curvature = hessian((w: Tensor) => squares(w, functions))(fixed) as Tensor;
      return fixed.sub(linalg.solve(stopGradient(curvature), slope));
    };
    const weigh = (f: (b: Tensor) => Tensor) => grad((b: Tensor) => f(b).mul([1, -2, 3]).sum())(functions) as Tensor;
    expectClose(weigh(layer), weigh(newton), { ofLargest: 1e-6 });
  });

  it("of a linear problem is known: weights (A^T A + rho^2)^-1 A^T y", () => {
    const target = rng.normal([1, 6, 1], { dtype: "float64" });
    const linear = {
      grid: [6, 1],
      input: (p: Tensor) => p,
      terms: (b: Tensor) => ({ u: b }),
      offset: () => ({ y: target }),
      residual: ({ u, y }: Readonly<Record<string, Tensor>>) => u.sub(y),
    };
    const A = rng.normal([1, 6, 1, 3], { dtype: "float64" });
    const closed = (b: Tensor) => {
      const a = b.reshape([6, 3]);
      const normal = a
        .transpose()
        .matmul(a)
        .add(
          tensor(
            [
              [0.04, 0, 0],
              [0, 0.04, 0],
              [0, 0, 0.04],
            ],
            { dtype: "float64" },
          ),
        );
      return linalg.solve(normal, a.transpose().matmul(target.reshape([6])));
    };
    const layer = (b: Tensor) => hardConstraint(b, linear, A, { ridge: 0.2, tolerance: 1e-13 }).weights.reshape([3]);
    expectClose(layer(A), closed(A), 1e-10);
    const weigh = (f: (b: Tensor) => Tensor) => grad((b: Tensor) => f(b).mul([1, 2, 3]).sum())(A) as Tensor;
    expectClose(weigh(layer), weigh(closed), 1e-9);
  });

  it("is finite where functions depend on each other and no ridge tells them apart, which it says", () => {
    const [a, b] = [0, 1].map((k) => basis.slice([null, null, null, { start: k, stop: k + 1 }]));
    const sums = concatenate([a, b, a.add(b), b.mul(0)], 3);
    const options = { ...common, ridge: 0, experts: [1, 2] };
    const of = (x: Tensor, more: object = {}) => hardConstraint(x, pde, { initial }, { ...options, ...more });
    expect(of(sums).dependent.toArray()).toEqual([
      [1, 1],
      [1, 1],
    ]);
    expect(of(basis).dependent.toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(of(sums, { ridge: 0.1 }).dependent.toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    const loss = (x: Tensor) => pde.residual(of(x).fields).square().sum();
    const slope = grad(loss)(sums) as Tensor;
    expect(Number.isFinite(slope.square().sum().item())).toBe(true);
    // Both find the same solution, which the third function does not change.
    expectClose(of(sums).u, of(concatenate([a, b], 3)).u, 1e-6);
  });

  it("with J^T J alone is another one, as residuals stay", () => {
    const full = grad((b: Tensor) => lossOf(b))(basis) as Tensor;
    const short = grad((b: Tensor) => lossOf(b, "gaussNewton"))(basis) as Tensor;
    const size = (x: Tensor) => x.square().sum().sqrt().item();
    expect(size(full.sub(short)) / size(full)).toBeGreaterThan(1e-3);
  });
});

it("the initial condition of a flow is built in: exact at time 0 whatever the weights, with a mean of 0", () => {
  const flow = navierStokes2d({ times: 4, points: 8, reynolds: 100 });
  const w0 = randomVorticity(random.rng(2), 2, 8);
  const functions = rng.normal([2, 4, 8, 8, 3], { dtype: "float64" });
  const { u, gradientNorms } = hardConstraint(functions, flow, { initial: w0 }, { experts: [1, 2, 2] });
  expectClose(u.slice([null, { stop: 1 }]).reshape([2, 8, 8]), w0, 1e-12);
  expectClose(u.mean({ axis: [2, 3] }), new Float64Array(8), 1e-12);
  expect(Math.max(...gradientNorms.data())).toBeLessThanOrEqual(1e-6);
});

it("refuses what does not fit, by name", async () => {
  const bad =
    (options: object, b: Tensor = basis) =>
    () =>
      hardConstraint(b, pde, { initial }, options);
  const cases: [() => unknown, RegExp][] = [
    [bad({ experts: [1, 3] }), /3 experts do not divide the 16 points of axis 1/],
    [bad({ experts: [2] }), /give one number for each axis/],
    [bad({ experts: [1, 2], samplesPerExpert: 65 }), /samplesPerExpert is 65/],
    [bad({ ridge: -1 }), /ridge is -1/],
    [bad({ tolerance: 0 }), /tolerance is 0/],
    [bad({ maxIterations: 1.5 }), /maxIterations/],
    [bad({ hessian: "none" }), /hessian/],
    [bad({ maxIter: 3 }), /there is no option "maxIter"/],
    [bad({}, basis.reshape([2, 16, 8, 4])), /basis has shape \[2,16,8,4\]; it must be \[batch, 8,16, N\]/],
    [bad({}, concatenate([basis, basis.slice([{ stop: 1 }])], 0)), /basis is for 3 problems, and there are 2/],
    [bad({ ridge: 0, samplesPerExpert: 3 }), /4 basis functions have 3 residuals of an expert/],
  ];
  for (const [run, message] of cases) expect(run).toThrow(message);
  await expect(solveConstraint(basis.mul(Number.NaN), pde, { initial })).rejects.toThrow(/not finite/);
});
