import { cos, div, exp, mul, pow, sqrt, square, sub, type Tensor, tensor, tree } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { runConformance } from "../src/conformance/index.js";
import { type FixedPointOptions, fixedPoint, fixedPointSync, type RootOptions, root, rootSync } from "../src/index.js";

const many = tensor(
  Float64Array.from({ length: 60 }, (_, i) => 1 + i / 60),
  { dtype: "float64" },
);
const badSettings = [{ tolerance: -1 }, { memory: 0 }, { mixing: 0 }, { method: "secant" }, { compile: 1 }];
const nowhere = (x: Tensor) => div(x, mul(x, 0));

for (const method of ["iteration", "anderson"] as const) {
  const slow = (x: Tensor) => sub(x, mul(0.05, pow(x, 3)));
  runConformance(
    `fixedPoint, ${method}`,
    {
      run: (options) => fixedPoint(slow, many, { method, ...options } as FixedPointOptions),
      limit: "maxIterations",
      short: 5,
      endless: { maxIterations: 1e9, tolerance: 0 },
      seeded: false,
      invalid: badSettings,
      nonFinite: [() => fixedPoint(slow, [Number.NaN, 1]), () => fixedPoint(nowhere, [1, 2])],
    },
    { describe, it, expect },
  );
}

for (const method of ["newton", "broyden", "anderson"] as const) {
  const flat = (x: Tensor) => mul(-0.05, pow(x, method === "anderson" ? 3 : 21));
  runConformance(
    `root, ${method}`,
    {
      run: (options) => root(flat, many, { method, ...options } as RootOptions),
      limit: "maxIterations",
      short: 5,
      endless: { maxIterations: 1e9, tolerance: 0 },
      seeded: false,
      invalid: badSettings,
      nonFinite: [() => root(flat, [Number.NaN, 1]), () => root(nowhere, [1, 2])],
    },
    { describe, it, expect },
  );
}

describe("fixed points", () => {
  it("are found, by Anderson acceleration in fewer iterations", async () => {
    const plain = await fixedPoint((x) => cos(x), 1, { method: "iteration" });
    const anderson = await fixedPoint((x) => cos(x), 1);
    for (const { x, status } of [plain, anderson]) {
      expect(status).toBe("converged");
      expect(x.item()).toBeCloseTo(0.7390851332151607, 9);
    }
    expect(plain.iterations).toBeGreaterThan(40);
    expect(anderson.iterations).toBeLessThan(10);
  });

  it("are the same compiled, at once, and of functions that read values", async () => {
    const step = (x: Tensor) => cos(x);
    const { x } = await fixedPoint(step, [1, 2], { compile: true });
    const readsValues = (v: Tensor) => Float64Array.from(v.data(), Math.cos);
    for (const other of [fixedPointSync(step, [1, 2]), fixedPointSync(readsValues, [1, 2])]) {
      expect(other.status).toBe("converged");
      other.x.data().forEach((v: number, i: number) => {
        expect(v).toBeCloseTo(x.data()[i], 9);
      });
    }
  });
});

interface Pair {
  readonly a: Tensor;
  readonly b: Tensor;
}

describe("roots", () => {
  it.each(["newton", "broyden"] as const)("of trees, by %s", (method) => {
    const circle = ({ a, b }: Pair): Pair => ({ a: sub(square(a), sub(4, square(b))), b: sub(b, exp(sub(a, 1))) });
    const start = { a: tensor(1.2, { dtype: "float64" }), b: tensor(1.5, { dtype: "float64" }) };
    const { x, status, residualNorm } = rootSync(circle, start, { method });
    expect(status).toBe("converged");
    expect(residualNorm).toBeLessThan(1e-10);
    expect(Math.hypot(x.a.item(), x.b.item())).toBeCloseTo(2, 9);
    expect(x.a.dtype).toBe("float64");
  });

  it("are approached in steps that Newton's alone would overshoot", () => {
    // Newton's iteration x -> -x^3 diverges from there; backtracking brings it home.
    const saturating = (x: Tensor) => div(x, sqrt(sub(square(x), -1)));
    for (const method of ["newton", "broyden"] as const) {
      for (const start of [2, -5]) {
        const { status, x } = rootSync(saturating, start, { method });
        expect(status).toBe("converged");
        expect(Math.abs(x.item())).toBeLessThan(1e-9);
      }
    }
  });

  it("are found for equations in any unit", () => {
    for (const unit of [1e-200, 1e-100, 1e100, 1e200]) {
      for (const method of ["newton", "broyden", "anderson"] as const) {
        const g = (x: Tensor) => mul(sub(0.5, div(mul(x, x), 4)), unit);
        const options = { tolerance: 1e-10 * unit, ...(method === "anderson" && { mixing: 1 / unit }) };
        const { status, x, residualNorm } = rootSync(g, [1, 2], { method, ...options } as RootOptions);
        expect(`${method} ${unit} ${status} ${residualNorm <= 1e-10 * unit}`).toBe(`${method} ${unit} converged true`);
        expect(Math.hypot(x.data()[0] - Math.SQRT2, x.data()[1] - Math.SQRT2)).toBeLessThan(1e-9);
      }
    }
  });

  it("that do not exist are told: no step lowers the residual", async () => {
    const { status, x } = await root((v) => sub(square(v), -1), 1);
    expect(status).toBe("inaccurate");
    expect(Number.isFinite(x.item())).toBe(true);
  });

  it("refuse states of other problems", async () => {
    const { state } = await root((v) => sub(square(v), 2), [1, 2], { maxIterations: 1 });
    const wrong = root((v) => sub(square(v), 2), [1, 2, 3], { resume: state });
    await expect(wrong).rejects.toThrow(/resume is a state of another problem/);
    const other = root((v) => sub(square(v), 2), [1, 2], { method: "broyden", resume: state });
    await expect(other).rejects.toThrow(/resume is a state of another problem or method/);
    expect(tree.leaves(state.inner).length).toBe(3);
  });
});
