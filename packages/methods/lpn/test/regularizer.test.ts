import { add, linalg, matmul, mul, random, sub, type Tensor, zeros } from "@offprint/tensor-core";
import { errorLike, expectClose, f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { lpn, regularizer, regularizerAt } from "../src/index.js";

const rng = random.rng("regularisers");
const model = lpn({ kind: "dense", shape: [2], hidden: [5, 5], alpha: 0.05 });
const params = model.init(rng, "float64");
const y = rng.normal([6, 2], { dtype: "float64" });
const x = model.prox(params, y);
const direct = regularizerAt(y, x, model.potential(params, y));

describe("phi", () => {
  it.each(["lbfgs", "conjugateGradients", "leastSquares"] as const)(
    "through inversion by %s is what the pre-image says",
    async (inverter) => {
      const { value, preimage, residual, status } = await regularizer(model, params, x, { inverter, tolerance: 1e-9 });
      expect(status).toBe("converged");
      expectClose(preimage.data(), y.data(), 1e-7);
      expectClose(value.data(), direct.data(), 1e-8);
      expect(Math.max(...residual.data())).toBeLessThan(1e-9);
    },
  );

  it.each(["adam", "adamLeastSquares"] as const)("through inversion by %s agrees to 1e-6", async (inverter) => {
    const { value } = await regularizer(model, params, x, { inverter, tolerance: 1e-2, maxIterations: 3000 });
    expectClose(value.data(), direct.data(), 1e-6);
  });

  it("of plain arrays is computed with all of their digits", async () => {
    const at = [[0.1, 0.7]];
    const [plain, exact] = [
      await regularizer(model, params, at),
      await regularizer(model, params, f64(at.flat(), [1, 2])),
    ];
    expect(plain.value.data()).toEqual(exact.value.data());
  });

  it("falls by what is added to psi", async () => {
    const { value } = await regularizer(model, { ...params, constant: add(params.constant, 3) }, x);
    expectClose(value.data(), sub(direct, 3).data(), 1e-6);
  });

  it("is affine for the network that is y + h", async () => {
    const half = lpn({ kind: "dense", shape: [2], hidden: [3], alpha: 0.5 });
    const drawn = half.init(rng, "float64");
    const plain = { ...drawn, convex: drawn.convex.map((w) => zeros(w.shape, "float64")) };
    const at = f64([1, 2, -3, 0.5, 0, 0], [3, 2]);
    const { value } = await regularizer(half, plain, at);
    const expected = mul(matmul(at, plain.linear), -1);
    const shift = value.data()[2];
    expectClose(sub(value, shift).data(), expected.data(), 1e-8);
  });

  it("is not given outside of the range of f, and that is said", async () => {
    const bounded = lpn({ kind: "dense", shape: [2], hidden: [4] });
    const p = bounded.init(rng, "float64");
    const inside = bounded.prox(p, f64([0.3, -0.2], [1, 2]));
    const both = f64([...inside.data(), 1e3, 1e3], [2, 2]);
    for (const inverter of ["lbfgs", "conjugateGradients", "leastSquares"] as const) {
      const { value, residual, status } = await regularizer(bounded, p, both, { inverter, maxIterations: 200 });
      expect(status).not.toBe("converged");
      expect(value.data()[1]).toBeNaN();
      expect(residual.data()[1]).toBeGreaterThan(1);
    }
  });

  it("is aborted by its signal", async () => {
    const { status } = await regularizer(model, params, x, { signal: AbortSignal.abort() });
    expect(status).toBe("aborted");
  });

  it("refuses bad input", async () => {
    await expect(regularizer(model, params, f64([1, Number.NaN], [1, 2]))).rejects.toThrow(
      errorLike("ValueError", /x holds NaN/),
    );
    await expect(regularizer(model, params, x, { inverter: "newton" as never })).rejects.toThrow(
      errorLike("ValueError", /inverter/),
    );
    await expect(regularizer(model, params, x, { tolerance: 0 })).rejects.toThrow(errorLike("ValueError", /tolerance/));
    await expect(regularizer(model, params, zeros([0, 2]))).rejects.toThrow(errorLike("ShapeError", /at least one/));
    expect(() => regularizerAt(y, x, zeros([6, 1]))).toThrow(errorLike("ShapeError", /regularizerAt: y is \[6,2\]/));
    await expect(regularizer(model, params, zeros([2]))).rejects.toThrow(errorLike("ShapeError", /batch/));
  });
});

it("f(y) minimises |x - y|^2 / 2 + phi(x): no point around it, near or far, is lower", async () => {
  const radii = [1e-3, 0.1, 0.5, 2];
  const directions = Array.from({ length: 12 }, (_, k) => [Math.cos((k * Math.PI) / 6), Math.sin((k * Math.PI) / 6)]);
  const around = radii.flatMap((r) => directions.map(([a, b]) => [r * a, r * b]));
  for (const k of [0, 3]) {
    const at = (t: Tensor) => t.slice([k]);
    const points = add(at(x), f64(around.flat(), [around.length, 2]));
    const { value, residual } = await regularizer(model, params, points, { tolerance: 1e-8 });
    const found = sub(points, at(y)).square().sum(1).div(2).add(value).data();
    const best = sub(at(x), at(y)).square().sum().div(2).item() + direct.data()[k];
    const reached = found.filter((_, i) => residual.data()[i] <= 1e-8);
    expect(reached.length).toBeGreaterThan(24);
    for (const v of reached) expect(v).toBeGreaterThan(best);
  }
  expect(linalg.norm(x).item()).toBeGreaterThan(0);
});
