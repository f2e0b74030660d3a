import { add, jit, mul, square, sub, sum, type Tensor, tensor, tree, valueAndGrad } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { runConformance } from "../src/conformance/index.js";
import {
  type MinimizerOptions,
  minimizeLbfgs,
  minimizeLbfgsb,
  minimizeLbfgsSync,
  nonlinearConjugateGradients,
  nonlinearConjugateGradientsSync,
} from "../src/index.js";
import { quadratic, rosenbrock } from "./objectives.js";

const minimizers: Record<string, typeof minimizeLbfgs> = { minimizeLbfgs, minimizeLbfgsb, nonlinearConjugateGradients };
const start = (n: number) => Float64Array.from({ length: n }, (_, i) => (i % 2 === 0 ? -1.2 : 1));

for (const [name, minimize] of Object.entries(minimizers)) {
  runConformance(
    name,
    {
      // Thousands of iterations away from the minimum.
      run: (options) => minimize(rosenbrock, start(2000), options as MinimizerOptions),
      limit: "maxIterations",
      short: 6,
      endless: { maxIterations: 1e9, gradientTolerance: 0 },
      seeded: false,
      invalid: [
        { gradientTolerance: -1 },
        { decreaseTolerance: Number.NaN },
        { maxLineSearch: 0 },
        name === "nonlinearConjugateGradients" ? { formula: "fletcher" } : { memory: 1.5 },
      ],
      nonFinite: [
        () => minimize(rosenbrock, [Number.NaN, 1]),
        () => minimize(() => Number.POSITIVE_INFINITY, [1, 1]),
        () => minimize((_, gradient) => gradient.fill(Number.NaN)[0] * 0 || 0, [1, 1]),
      ],
    },
    { describe, it, expect },
  );
}

interface Params {
  readonly w: Tensor;
  readonly b: { readonly c: Tensor };
}

/** Its minimum 0 is at w = 3 and c = w summed. */
function bowl({ w, b }: Params): Tensor {
  return add(sum(square(sub(w, 3))), mul(2, square(sub(b.c, sum(w)))));
}

const initial = (dtype: "float32" | "float64"): Params => ({
  w: tensor(
    [
      [1, 2],
      [0, 0],
    ],
    { dtype },
  ),
  b: { c: tensor(1, { dtype }) },
});

describe.each(Object.entries(minimizers))("%s", (_, minimize) => {
  it("takes trees of tensors, eager and compiled, and gives them back", async () => {
    const eager = await minimize(valueAndGrad(bowl), initial("float64"));
    const compiled = await minimize(jit(valueAndGrad(bowl)), initial("float64"));
    for (const { x, status, gradient, objective } of [eager, compiled]) {
      expect(status).toBe("converged");
      expect(x.w.shape).toEqual([2, 2]);
      for (const v of x.w.data()) expect(v).toBeCloseTo(3, 7);
      expect(x.b.c.item()).toBeCloseTo(12, 7);
      expect(gradient.b.c.dtype).toBe("float64");
      expect(objective).toBeLessThan(1e-15);
    }
  });

  it("works to the precision of float32 where variables are", async () => {
    const { x, status } = await minimize(valueAndGrad(bowl), initial("float32"), { gradientTolerance: 1e-4 });
    expect(status).toBe("converged");
    expect(x.w.dtype).toBe("float32");
    for (const v of x.w.data()) expect(Math.abs(v - 3)).toBeLessThan(1e-4);
  });

  it("takes promised values of vectors, with the result of the others", async () => {
    const at = await minimize(rosenbrock, start(10));
    const later = await minimize(async (x, gradient) => rosenbrock(x, gradient), start(10));
    expect(tree.toJson(later)).toBe(tree.toJson(at));
  });

  it("abandons a line search when aborted, and goes on as if nothing had happened", async () => {
    const controller = new AbortController();
    let calls = 0;
    const slow = async (x: Float64Array, gradient: Float64Array) => {
      if (++calls === 9) controller.abort();
      return rosenbrock(x, gradient);
    };
    const part = await minimize(slow, start(10), { signal: controller.signal });
    expect(part.status).toBe("aborted");
    expect(part.history.length).toBe(part.iterations);
    expect(calls).toBe(9);
    const whole = await minimize(rosenbrock, start(10));
    const rest = await minimize(rosenbrock, start(10), { resume: part.state });
    expect(tree.toJson(rest)).toBe(tree.toJson(whole));
  });

  it("says what an objective must give", async () => {
    const tensors = initial("float64");
    await expect(minimize((p: Params) => bowl(p) as never, tensors)).rejects.toThrow(/give valueAndGrad\(f\)/);
    await expect(minimize((() => tensor(1)) as never, [1, 2])).rejects.toThrow(/writes its gradient/);
    await expect(minimize(rosenbrock, [])).rejects.toThrow(/must not be empty/);
    const resume = (await minimize(rosenbrock, start(10), { maxIterations: 2 })).state;
    await expect(minimize(rosenbrock, start(8), { resume })).rejects.toThrow(/resume/);
  });
});

describe("nonlinear conjugate gradients", () => {
  it.each(["hager-zhang", "polak-ribiere"] as const)("%s finds the minimum of Rosenbrock's function", (formula) => {
    for (const n of [2, 100]) {
      const { status, x, evaluations } = nonlinearConjugateGradientsSync(rosenbrock, start(n), {
        formula,
        maxIterations: 2000,
      });
      expect(status).toBe("converged");
      for (const v of x) expect(v).toBeCloseTo(1, 6);
      expect(evaluations).toBeLessThan(n === 2 ? 100 : 2500);
    }
  });

  it("needs about as many iterations as a quadratic has variables", () => {
    const n = 12;
    const matrix = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? i + 1 : 0)));
    const f = quadratic(matrix, new Array(n).fill(1));
    const { iterations, x } = nonlinearConjugateGradientsSync(f, new Float64Array(n), { gradientTolerance: 1e-7 });
    expect(iterations).toBeLessThan(3 * n);
    for (let i = 0; i < n; i++) expect(x[i]).toBeCloseTo(1 / (i + 1), 6);
  });

  it("agrees with L-BFGS", () => {
    const f = quadratic(
      [
        [3, 1],
        [1, 2],
      ],
      [1, -1],
    );
    const [a, b] = [nonlinearConjugateGradientsSync(f, [4, 5]), minimizeLbfgsSync(f, [4, 5])];
    expect(a.x[0]).toBeCloseTo(b.x[0], 8);
    expect(a.x[1]).toBeCloseTo(b.x[1], 8);
  });
});
