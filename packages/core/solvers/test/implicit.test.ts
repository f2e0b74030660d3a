import {
  add,
  cos,
  div,
  exp,
  expandDims,
  eye,
  grad,
  hvp,
  jit,
  linalg,
  matmul,
  mul,
  neg,
  random,
  slice,
  sqrt,
  square,
  squeeze,
  stack,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  trace,
} from "@offprint/tensor-core";
import { expectClose, expectGradient, expectSecondGradient, expectVmap } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { implicit } from "../src/index.js";

const rng = random.rng("implicit");
const draw = (shape: number[]) => rng.normal(shape, { dtype: "float64" });
const f64 = (value: number) => tensor(value, { dtype: "float64" });

const n = 4;
const weights = mul(draw([n, n]), 0.2);
const input = draw([n]);
const zero = mul(input, 0);

interface Layer {
  readonly w: Tensor;
  readonly b: Tensor;
}

/** An equilibrium layer; it contracts for small weights. */
const layer = (x: Tensor, { w, b }: Layer) => tanh(add(matmul(w, x), b));
/** The same without a solver, for its gradients. */
function unrolled(w: Tensor, b: Tensor): Tensor {
  let x = zero;
  for (let k = 0; k < 80; k++) x = layer(x, { w, b });
  return x;
}
const equation = (x: Tensor, parameters: Layer) => sub(layer(x, parameters), x);

const solutions: Record<string, (w: Tensor, b: Tensor) => Tensor> = {};
for (const adjoint of ["direct", "iterative", "contraction"] as const) {
  const options = { tolerance: 1e-13, adjoint, adjointTolerance: 1e-13 };
  for (const method of ["anderson", "iteration"] as const) {
    const solve = implicit.fixedPoint(layer, { ...options, method });
    solutions[`fixed point, ${method}, ${adjoint}`] = (w, b) => solve(zero, { w, b });
  }
  if (adjoint === "contraction") continue;
  for (const method of ["newton", "broyden", "anderson"] as const) {
    const solve = implicit.root(equation, { ...options, method });
    solutions[`root, ${method}, ${adjoint}`] = (w, b) => solve(zero, { w, b });
  }
}

const loss = (solve: (w: Tensor, b: Tensor) => Tensor) => (w: Tensor, b: Tensor) =>
  sum(mul(square(solve(w, b)), tensor([1, 2, -1, 0.5], { dtype: "float64" })));

const direction = draw([n, n]);
const reference = {
  value: unrolled(weights, input),
  gradients: [0, 1].map((argument) => grad(loss(unrolled), { argument })(weights, input) as Tensor),
  curvature: hvp(loss(unrolled))(weights, direction, input),
};

describe.each(Object.entries(solutions))("%s", (name, solve) => {
  it("has the first and second gradients of the unrolled iteration", () => {
    expectClose(solve(weights, input), reference.value, { absolute: 1e-12 });
    for (const argument of [0, 1]) {
      const ours = grad(loss(solve), { argument })(weights, input) as Tensor;
      expectClose(ours, reference.gradients[argument], { absolute: 1e-10 });
    }
    expectClose(hvp(loss(solve))(weights, direction, input), reference.curvature, { absolute: 1e-9 });
  });

  if (name.includes("newton") || name.includes("anderson, iterative")) {
    it("has the gradient that differences show, and that of the gradient", () => {
      expectGradient(solve, [weights, input]);
      expectSecondGradient((b) => solve(weights, b), [input]);
      expectSecondGradient(
        (diagonal) => solve(add(weights, mul(diagonal, eye(n, n, "float64"))), input),
        [mul(draw([n]), 0.1)],
      );
    });
  }

  it("is batched", () => {
    const batch = mul(draw([3, n, n]), 0.2);
    expectVmap((w: Tensor, b: Tensor) => grad(loss(solve))(w, b), [batch, draw([3, n])], 1e-9);
  });

  it("is compiled with its gradients", async () => {
    const value = await jit(solve)(weights, input);
    expectClose(value, solve(weights, input), { absolute: 1e-12 });
    const slope = grad(loss(solve));
    expectClose(await jit(slope)(weights, input), slope(weights, input), { absolute: 1e-10 });
    const product = (w: Tensor, b: Tensor) => hvp(loss(solve))(w, direction, b);
    expectClose(await jit(product)(weights, input), product(weights, input), { absolute: 1e-9 });
  });
});

/** One variable, kept as an axis. */
const kept = (x: Tensor, i: number) => [...x.shape.slice(1).map(() => null), { start: i, stop: i + 1 }];

describe("implicit gradients", () => {
  it("are right to the third order", () => {
    for (const adjoint of ["direct", "iterative"] as const) {
      const solve = implicit.root((x: Tensor, a: Tensor) => sub(square(x), a), { adjoint, tolerance: 1e-14 });
      const at = (a: Tensor) => solve(1, a);
      const [first, second, third] = [grad(at), grad(grad(at)), grad(grad(grad(at)))].map((d) => d(f64(2)).item());
      expect(at(f64(2)).item()).toBeCloseTo(Math.SQRT2, 14);
      expect(first).toBeCloseTo(2 ** -0.5 / 2, 10);
      expect(second).toBeCloseTo(-(2 ** -1.5) / 4, 10);
      expect(third).toBeCloseTo((3 * 2 ** -2.5) / 8, 9);
    }
  });

  it("do not depend on the unit of what is differentiated", () => {
    for (const adjoint of ["direct", "iterative", "contraction"] as const) {
      const solve = implicit.fixedPoint((x: Tensor, b: Tensor) => tanh(add(matmul(weights, x), b)), {
        adjoint,
        tolerance: 1e-13,
      });
      const slope = (unit: number) => grad((b: Tensor) => mul(unit, sum(solve(zero, b))))(input);
      for (const unit of [1e-300, 1e-160, 1e160, 1e300]) expectClose(div(slope(unit), unit), slope(1), 1e-10);
    }
  });

  it("flow through trees of variables and parameters", () => {
    interface Point {
      readonly u: Tensor;
      readonly v: Tensor;
    }
    // u = a / v, v = sqrt(u + b): the solution is checked, its gradient against differences.
    const solve = implicit.fixedPoint<Point, { a: Tensor; b: Tensor }>(({ u, v }, { a, b }) => ({
      u: div(a, v),
      v: sqrt(add(u, b)),
    }));
    const start = { u: f64(1), v: f64(1) };
    const f = (a: Tensor, b: Tensor) => {
      const { u, v } = solve(start, { a, b });
      return add(u, mul(v, v));
    };
    const { u, v } = solve(start, { a: f64(1.2), b: f64(2) });
    expect(u.item() * v.item()).toBeCloseTo(1.2, 9);
    expect(v.item() ** 2).toBeCloseTo(u.item() + 2, 9);
    expectGradient(f, [f64(1.2), f64(2)]);
  });

  it("are given to solutions found elsewhere", () => {
    const matrix = add(mul(draw([n, n]), 0.3), mul(eye(n, n, "float64"), 2));
    const attach = implicit.withGradient((x: Tensor, { a, b }: { a: Tensor; b: Tensor }) => sub(matmul(a, x), b));
    const found = (a: Tensor, b: Tensor) => attach(linalg.solve(matrix, input), { a, b });
    const slope = grad((a: Tensor, b: Tensor) => sum(square(found(a, b))));
    const exact = grad((a: Tensor, b: Tensor) => sum(square(linalg.solve(a, b))));
    expectClose(slope(matrix, input), exact(matrix, input), { absolute: 1e-12 });
    expectClose(
      hvp((a: Tensor) => sum(square(found(a, input))))(matrix, weights),
      hvp((a: Tensor) => sum(square(linalg.solve(a, input))))(matrix, weights),
      { absolute: 1e-10 },
    );
  });

  it("are given to batches of solutions, each by its own Jacobian", () => {
    const own = random.rng("batches");
    const matrices = add(mul(own.normal([3, 2, n, n], { dtype: "float64" }), 0.3), mul(eye(n, n, "float64"), 2));
    const right = own.normal([3, 2, n], { dtype: "float64" });
    const solved = (a: Tensor, b: Tensor) => squeeze(linalg.solve(a, expandDims(b, -1)), -1);
    const g = (x: Tensor, { a, b }: { a: Tensor; b: Tensor }) => sub(squeeze(matmul(a, expandDims(x, -1)), -1), b);
    const whole = implicit.withGradient(g);
    const each = implicit.withGradient(g, { batched: true });
    const loss = (attach: typeof each) => (a: Tensor, b: Tensor) =>
      sum(square(attach(solved(matrices, right), { a, b })));
    const exact = grad((a: Tensor, b: Tensor) => sum(square(solved(a, b))))(matrices, right);
    for (const attach of [whole, each]) expectClose(grad(loss(attach))(matrices, right), exact, { absolute: 1e-12 });
    const sizes = (attach: typeof each) =>
      trace(
        grad(loss(attach)),
        { shape: matrices.shape, dtype: "float64" },
        { shape: right.shape, dtype: "float64" },
      ).equations.flatMap(({ outputs }) => outputs.map(({ shape }) => shape.reduce((p, k) => p * k, 1)));
    // No block matrix of all problems is formed.
    expect(Math.max(...sizes(each)) * 6).toBeLessThanOrEqual(Math.max(...sizes(whole)));
    expect(() => implicit.withGradient((x: { u: Tensor }) => x, { batched: true })({ u: right }, null)).toThrow(
      /batched takes a solution that is one tensor/,
    );
  });

  it("are found of many variables by products alone", () => {
    const size = 300;
    const diagonal = tensor(
      Float64Array.from({ length: size }, (_, i) => 1 + i / size),
      { dtype: "float64" },
    );
    const descent = implicit.root(
      (x: Tensor, a: Tensor) => sub(a, add(mul(x, diagonal), mul(0.1, mul(x, square(x))))),
      { method: "anderson", mixing: 0.5 },
    );
    const x = descent(mul(diagonal, 0), diagonal);
    const slope = grad((a: Tensor) => sum(descent(mul(diagonal, 0), a)))(diagonal);
    expectClose(slope, div(1, add(diagonal, mul(0.3, square(x)))), { absolute: 1e-9 });
  });

  it("are those of least squares, alone, batched and compiled", async () => {
    const times = tensor([0, 0.5, 1, 2], { dtype: "float64" });
    // Not linear in x, and with residuals that stay: the Hessian is not J^T J.
    const residuals = (x: Tensor, y: Tensor) =>
      sub(mul(slice(x, kept(x, 0)), exp(neg(mul(slice(x, kept(x, 1)), times)))), y);
    const solve = implicit.leastSquares(residuals, { gradientTolerance: 1e-13 });
    const data = tensor([2.1, 1.2, 0.9, 0.1], { dtype: "float64" });
    const f = (y: Tensor) => solve([1.5, 1], y);
    expectGradient(f, [data]);
    expectSecondGradient(f, [data], 1e-5);
    const batch = stack([data, mul(data, 1.5), mul(data, 0.5)]);
    const starts = tensor(
      [
        [1.5, 1],
        [2, 1],
        [1, 1],
      ],
      { dtype: "float64" },
    );
    const early = { maxIterations: 2 };
    expect(() => implicit.leastSquares(residuals, early)([1.5, 1], data)).toThrow(/maxIterations/);
    const taken = implicit.leastSquares(residuals, { ...early, inexact: true })([1.5, 1], data);
    expect(taken.data().every(Number.isFinite)).toBe(true);
    const rows = solve(starts, batch);
    const slopes = grad((y: Tensor) => sum(square(solve(starts, y))))(batch);
    for (let i = 0; i < 3; i++) {
      expectClose(rows.slice([i]), f(batch.slice([i])), { absolute: 1e-9 });
      expectClose(slopes.slice([i]), grad((y: Tensor) => sum(square(f(y))))(batch.slice([i])), { absolute: 1e-8 });
    }
    expectClose(await jit(grad((y: Tensor) => sum(square(f(y)))))(data), slopes.slice([0]), { absolute: 1e-8 });
  });

  it("say when nothing was found: at once, or by NaN in compiled functions", async () => {
    const solve = implicit.fixedPoint((x: Tensor, a: Tensor) => mul(a, cos(x)), { maxIterations: 2 });
    expect(() => solve(1, f64(0.8))).toThrow(/implicit.fixedPoint: the iteration has not converged/);
    const compiled = await jit((a: Tensor) => solve(1, a))(f64(0.8));
    expect(compiled.item()).toBeNaN();
    const graph = trace((a: Tensor) => solve(1, a), f64(0.8));
    expect(String(graph)).toContain("whileLoop");
  });

  it("refuse options that do not exist and functions that give something else", () => {
    expect(() => implicit.fixedPoint((x: Tensor, _: Tensor) => x, { tol: 1 } as never)).toThrow(/"tolerance"/);
    expect(() => implicit.root((x: Tensor, _: Tensor) => x, { adjoint: "lu" as never })(1, f64(1))).toThrow(/adjoint/);
    expect(() => implicit.withGradient((x: Tensor, _: Tensor) => x, { adjoints: 1 } as never)).toThrow(/"adjoint"/);
    expect(() => implicit.root((x: Tensor, _: Tensor) => sum(x))([1, 2], f64(1))).toThrow(/gave shape \[\]/);
  });
});
