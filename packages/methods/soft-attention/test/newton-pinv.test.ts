import { largestDifference } from "@offprint/claims";
import {
  add,
  eye,
  grad,
  linalg,
  matmul,
  mul,
  outer,
  random,
  sub,
  sum,
  swapAxes,
  type Tensor,
} from "@offprint/tensor-core";
import { f64, numericalGradient, weighed } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { gaussianKernel, newtonPinv, type PinvOptions, pinvResidual } from "../src/index.js";
import { largest } from "./comparison.js";

const points = (n: number, features: number, std: number, seed = 0) =>
  random.rng(`points/${seed}`).normal([n, features], { std, dtype: "float64" });
const kernel = (n: number, features = 4, std = 1, seed = 0) => {
  const x = points(n, features, std, seed);
  return gaussianKernel(x, x);
};

describe("newtonPinv", () => {
  it("is the spectral filter of its closed form", () => {
    const a = kernel(12, 4, 0.7);
    const { values, vectors } = linalg.eigh(a);
    const rows = sum(a, { axis: -1 }).data();
    const alpha = 1.8 / Math.max(...rows) ** 2;
    for (const iterations of [0, 5, 10, 20]) {
      const filter = Float64Array.from(values.data(), (l) => (1 - (1 - alpha * l * l) ** (2 ** iterations)) / l);
      const expected = matmul(mul(vectors, f64(filter)), swapAxes(vectors, 0, 1));
      expect(largestDifference(newtonPinv(a, { ridge: 0, iterations }), expected)).toBeLessThan(1e-10);
    }
  });

  it("gives alpha P without a step, alpha from M and the ridge in P", () => {
    const a = kernel(5);
    const alpha = 1.8 / Math.max(...sum(a, { axis: -1 }).data()) ** 2;
    const p = add(a, mul(eye(5, 5, "float64"), 0.3));
    expect(largestDifference(newtonPinv(a, { iterations: 0, ridge: 0.3 }), mul(p, alpha))).toBeLessThan(1e-15);
  });

  it("inverts what it is told to: the ridge inverse when converged", () => {
    const a = kernel(8, 3);
    const exact = linalg.inverse(add(a, mul(eye(8, 8, "float64"), 0.01)));
    const z = newtonPinv(a, { iterations: 40 });
    expect(largestDifference(z, exact)).toBeLessThan(1e-9 * largest(exact));
    expect(pinvResidual(a, z).item()).toBeLessThan(1e-10);
  });

  it("scales inversely with the matrix when the ridge scales along", () => {
    const a = kernel(7);
    for (const iterations of [3, 20]) {
      const scaled = newtonPinv(mul(a, 5), { ridge: 0.05, iterations });
      expect(largestDifference(mul(scaled, 5), newtonPinv(a, { ridge: 0.01, iterations }))).toBeLessThan(1e-10);
    }
  });

  it("keeps zero eigenvalues zero: equal tokens give the pseudo-inverse, but not with the paper's factor 2", () => {
    const ones = f64(new Float64Array(36).fill(1), [6, 6]);
    const expected = mul(ones, 1 / 36);
    expect(largestDifference(newtonPinv(ones, { ridge: 0, iterations: 10 }), expected)).toBeLessThan(1e-12);
    expect(largest(newtonPinv(ones, { ridge: 0, iterations: 10, factor: 2 }))).toBeLessThan(1e-12);
    const backtracked = newtonPinv(ones, { start: "backtracking", iterations: 20 });
    expect(largestDifference(backtracked, expected)).toBeLessThan(1e-9);
  });

  it("backtracks per matrix of a batch", () => {
    const a = kernel(6);
    const ones = f64(new Float64Array(36).fill(1), [6, 6]);
    const both = f64([...a.data(), ...ones.data()], [2, 6, 6]);
    const options: PinvOptions = { start: "backtracking", iterations: 12 };
    const z = newtonPinv(both, options);
    expect(largestDifference(z.slice([0]), newtonPinv(a, options))).toBeLessThan(1e-12);
    expect(largestDifference(z.slice([1]), newtonPinv(ones, options))).toBeLessThan(1e-12);
  });

  it("agrees in float32 and float64 within 1e-3 up to a condition of 300", () => {
    const q = linalg.qr(points(10, 10, 1)).q;
    const values = f64(Float64Array.from({ length: 10 }, (_, i) => 300 ** (-i / 9)));
    const a = matmul(mul(q, values), swapAxes(q, 0, 1));
    const wide = newtonPinv(a, { ridge: 0 });
    const narrow = newtonPinv(a.cast("float32"), { ridge: 0 });
    expect(narrow.dtype).toBe("float32");
    expect(largestDifference(narrow.cast("float64"), wide) / largest(wide)).toBeLessThan(1e-3);
  });

  it("refuses options and values that it cannot use", () => {
    const a = kernel(3);
    for (const bad of [{ iterations: -1 }, { iterations: 1.5 }, { ridge: -0.1 }, { factor: 0 }, { factor: 2.1 }]) {
      expect(() => newtonPinv(a, bad)).toThrow(/newtonPinv: .* it must be/);
    }
    expect(() => newtonPinv(a, { start: "zero" as "rowSum" })).toThrow('it must be one of "rowSum", "backtracking"');
    expect(() => newtonPinv(a, { backward: "none" as "full" })).toThrow(
      'it must be one of "theoretical", "full", "unrolled"',
    );
    expect(() => newtonPinv([[Number.NaN]])).toThrow("not finite");
    expect(() => newtonPinv([[1, 2]])).toThrow("[..., m, m]");
    expect(() => newtonPinv([[1e-12]])).toThrow(/the steps diverged, as the ridge 0.01 is not small/);
    expect(() => newtonPinv([[0]])).toThrow(/the steps diverged/);
  });
});

describe("the backward of the pseudo-inverse", () => {
  const loss = (options: PinvOptions) => (a: Tensor) => weighed(newtonPinv(a, options));

  it("theoretical equals unrolled when converged, and not after 5 steps", () => {
    const a = kernel(6);
    const gradients = (iterations: number) =>
      (["theoretical", "unrolled", "full"] as const).map(
        (backward) => grad(loss({ iterations, backward }))(a) as Tensor,
      );
    const [theory, unrolled, full] = gradients(40);
    expect(pinvResidual(a, newtonPinv(a, { iterations: 40 })).item()).toBeLessThan(1e-10);
    expect(largestDifference(theory, unrolled)).toBeLessThan(1e-6 * largest(unrolled));
    expect(largestDifference(theory, full)).toBeLessThan(1e-6 * largest(unrolled));
    const [early, earlyUnrolled] = gradients(5);
    expect(largestDifference(early, earlyUnrolled)).toBeGreaterThan(0.05 * largest(earlyUnrolled));
  });

  it("unrolled is the derivative of what was computed, converged or not, backtracking included", () => {
    const a = kernel(5);
    const symmetric = (f: (m: Tensor) => Tensor) => (m: Tensor) => f(mul(add(m, swapAxes(m, 0, 1)), 0.5));
    for (const options of [{ iterations: 4 }, { iterations: 6, start: "backtracking" }] as PinvOptions[]) {
      const f = symmetric(loss({ ...options, backward: "unrolled" }));
      expect(largestDifference(grad(f)(a) as Tensor, numericalGradient(f, a))).toBeLessThan(1e-6);
    }
  });

  it("full is the derivative along changes that keep the rank, theoretical is not", () => {
    const u = points(5, 1, 1).flatten();
    const options = { ridge: 0, iterations: 10 };
    const along = (backward: "full" | "theoretical") => (x: Tensor) => loss({ ...options, backward })(outer(x, x));
    const numeric = numericalGradient(along("full"), u);
    expect(largestDifference(grad(along("full"))(u) as Tensor, numeric)).toBeLessThan(1e-5 * largest(numeric));
    expect(largestDifference(grad(along("theoretical"))(u) as Tensor, numeric)).toBeGreaterThan(0.1 * largest(numeric));
  });

  it("can be differentiated again", () => {
    const a = kernel(4);
    const slope = (backward: PinvOptions["backward"]) => (m: Tensor) => {
      const inner = loss({ iterations: 40, ...(backward && { backward }) });
      return weighed(mul(grad(inner)(m) as Tensor, 0.1));
    };
    const numeric = numericalGradient(slope("theoretical"), a);
    for (const backward of ["theoretical", "full"] as const) {
      const second = grad(slope(backward))(a) as Tensor;
      expect(largestDifference(second, numeric)).toBeLessThan(1e-5 * largest(numeric));
    }
    expect(largest(sub(grad(slope("unrolled"))(a) as Tensor, numeric))).toBeLessThan(1e-5 * largest(numeric));
  });
});
