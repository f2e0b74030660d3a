import { condition, matern, squaredExponential } from "@offprint/gaussian-process";
import {
  add,
  diag,
  eye,
  full,
  linalg,
  matmul,
  mul,
  random,
  sub,
  type Tensor,
  tensor,
  transpose,
} from "@offprint/tensor-core";
import { errorLike, expectClose, numericalGradient } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { fourierSurrogate, type KernelName, trajectorySurrogate } from "../src/index.js";

const float64 = { dtype: "float64" } as const;
const processes = { matern, squaredExponential };

/** Queries of a smooth function within 0.3 of the middle. */
function queries(n: number, d: number, seed = 1) {
  const x = random.rng(seed).uniform([n, d], { low: 0.2, high: 0.8, ...float64 });
  const y = x.mul(4).sin().sum(1);
  return { x, y };
}
const place = (d: number, seed = 2) => random.rng(seed).uniform([d], { low: 0.3, high: 0.7, ...float64 });
const row = (z: Tensor) => z.reshape([1, z.size]);

describe("the surrogate of a trajectory", () => {
  for (const kernel of ["matern", "squaredExponential"] as const) {
    it(`${kernel}: has the mean, the gradient and the uncertainty of the Gaussian process`, () => {
      const { x, y } = queries(15, 3);
      const z = place(3);
      const surrogate = trajectorySurrogate(x, y, { kernel, length: 0.7, noise: 1e-4 });
      const least = Math.min(...y.data());
      expect(surrogate.range).toBeCloseTo(Math.max(...y.data()) - least, 14);
      const exact = condition(processes[kernel]({ length: 0.7 }), x, y.sub(least).div(surrogate.range), {
        noise: 1e-4,
      });
      expectClose(surrogate.mean(z), least + surrogate.range * exact.mean(row(z)).item(), 1e-11);
      expectClose(surrogate.gradient(z), exact.gradient(row(z)).mul(surrogate.range).reshape([3]), 1e-10);
      expectClose(surrogate.gradientCovariance(z), exact.gradientCovariance(row(z)).reshape([3, 3]), 1e-10);
    });
  }

  it("its gradient is that of its mean", () => {
    const { x, y } = queries(20, 4);
    const surrogate = trajectorySurrogate(x, y);
    const z = place(4);
    expectClose(
      surrogate.gradient(z),
      numericalGradient((at: Tensor) => tensor(surrogate.mean(at), float64), z),
      { ofLargest: 1e-5 },
    );
  });

  it("the uncertainty is the trace of the gradient's covariance, not negative, and falls with every query", () => {
    const { x, y } = queries(30, 3);
    const points = place(3)
      .reshape([1, 3])
      .add(random.rng(5).uniform([8, 3], { low: -0.1, high: 0.1, ...float64 }));
    let before = full([8], Infinity, "float64");
    for (let n = 4; n <= 30; n += 2) {
      const head = { start: 0, stop: n };
      const surrogate = trajectorySurrogate(x.slice([head]), y.slice([head]), { capacity: 30 });
      const uncertainty = surrogate.uncertainty(points);
      const traces = Array.from({ length: 8 }, (_, j) => linalgTrace(surrogate.gradientCovariance(points.slice([j]))));
      expectClose(uncertainty, traces, { absolute: 1e-8 });
      expect(Math.min(...uncertainty.data())).toBeGreaterThanOrEqual(-1e-9);
      expect(uncertainty.data().every((u, j) => u <= before.data()[j] + 1e-9)).toBe(true);
      before = uncertainty;
    }
  });

  it("room for more queries changes nothing", () => {
    const { x, y } = queries(9, 2);
    const z = place(2);
    const [tight, roomy] = [trajectorySurrogate(x, y), trajectorySurrogate(x, y, { capacity: 40 })];
    expectClose(roomy.gradient(z), tight.gradient(z), 1e-9);
    expectClose(roomy.mean(z), tight.mean(z), 1e-12);
    expectClose(roomy.gradientCovariance(z), tight.gradientCovariance(z), 1e-9);
    expectClose(roomy.uncertainty(row(z)), tight.uncertainty(row(z)), 1e-8);
  });

  it("points towards the true gradient of a quadratic within 2.6 degrees from 3 d queries within 0.02", () => {
    const z = place(6);
    const x = random
      .rng(3)
      .uniform([18, 6], { low: -0.02, high: 0.02, ...float64 })
      .add(z);
    const gradient = trajectorySurrogate(x, x.square().sum(1)).gradient(z);
    const cosine = matmul(gradient, z).item() / Math.sqrt(matmul(gradient, gradient).item() * matmul(z, z).item());
    expect(cosine).toBeGreaterThan(0.999);
  });

  it("equal values have no gradient; queries may be repeated", () => {
    expectClose(trajectorySurrogate([[0.1], [0.2]], [3, 3]).gradient([0.15]), [0], 0);
    const twice = trajectorySurrogate([[0.1], [0.1], [0.2]], [1, 1, 2], { noise: 0 });
    expect(twice.gradient([0.15]).item()).toBeGreaterThan(0);
  });

  it("noise in the units of the values is their variance over the range squared", () => {
    const { x, y } = queries(10, 2);
    const z = place(2);
    const { range } = trajectorySurrogate(x, y);
    const absolute = trajectorySurrogate(x, y, { noise: { deviation: 0.1 } });
    expectClose(absolute.gradient(z), trajectorySurrogate(x, y, { noise: (0.1 / range) ** 2 }).gradient(z), 1e-10);
  });

  it("the length of largest evidence is that of a search on a grid", () => {
    const { x, y } = queries(25, 1);
    const { length, range } = trajectorySurrogate(x, y, { length: "evidence", noise: 1e-4 });
    const targets = y.sub(Math.min(...y.data())).div(range);
    const evidence = (at: number) => condition(matern({ length: at }), x, targets, { noise: 1e-4 }).logEvidence;
    const grid = Array.from({ length: 41 }, (_, k) => 10 ** (-2 + k / 10));
    expect(evidence(length)).toBeGreaterThan(Math.max(...grid.map(evidence)) - 0.01);
  });

  it("refuses what does not fit, and says what to give", () => {
    const make = (x: number[][], y: number[], options: object) => () => trajectorySurrogate(x, y, options);
    expect(make([[1]], [1, 2], {})).toThrow(errorLike("ShapeError", /\[n, d\] and \[n\]/));
    expect(make([[1]], [Number.NaN], {})).toThrow(errorLike("ValueError", /not finite; leave such queries out/));
    expect(make([[1]], [1], { length: 0 })).toThrow(errorLike("ValueError", /length/));
    expect(make([[1]], [1], { noise: -1 })).toThrow(errorLike("ValueError", /noise/));
    expect(make([[1]], [1], { kernel: "cubic" as KernelName })).toThrow(errorLike("ValueError", /kernel/));
    expect(make([[1]], [1], { lenght: 1 })).toThrow(errorLike("ValueError", /did you mean "length"/));
    expect(make([[1], [2]], [1, 2], { capacity: 1 })).toThrow(errorLike("ValueError", /capacity/));
    expect(() => trajectorySurrogate([[1]], [1]).gradient([1, 2])).toThrow(errorLike("ShapeError", /\[1\]/));
  });
});

describe("the global surrogate", () => {
  it("its features multiply to the squared exponential kernel, within 5 / sqrt(M)", () => {
    const [features, length] = [2000, 0.8];
    const { x } = queries(12, 3);
    const phi = fourierSurrogate(3, { features, length }).features(x);
    const error = sub(matmul(phi, transpose(phi)), squaredExponential({ length }).matrix(x)).abs();
    expect(Math.max(...error.data())).toBeLessThan(5 / Math.sqrt(features));
  });

  it("its weights are those of ridge regression on the features, in units of the values", () => {
    const { x, y } = queries(14, 2);
    const surrogate = fourierSurrogate(2, { features: 8, seed: "few" });
    const phi = surrogate.features(x);
    const least = Math.min(...y.data());
    const normal = add(matmul(transpose(phi), phi), diag(full([8], 0.01, "float64")));
    const expected = linalg.solve(normal, matmul(transpose(phi), sub(y, least)));
    expectClose(surrogate.fit(x, y, { ridge: 0.01 }), expected, 1e-9);
    expectClose(surrogate.fit(x, y, { ridge: 0.01, capacity: 30 }), expected, 1e-9);
  });

  it("its gradient is that of the weighted features, and linear in the weights", () => {
    const { x, y } = queries(20, 3);
    const surrogate = fourierSurrogate(3, { features: 50 });
    const [first, second] = [surrogate.fit(x, y), surrogate.fit(x, y.square())];
    const z = place(3);
    const value = (at: Tensor) => matmul(surrogate.features(row(at)), first).reshape([]);
    expectClose(surrogate.gradient(first, z), numericalGradient(value, z), { ofLargest: 1e-7 });
    const mean = mul(0.5, add(first, second));
    const both = add(surrogate.gradient(first, z), surrogate.gradient(second, z));
    expectClose(surrogate.gradient(mean, z), mul(0.5, both), 1e-12);
  });

  it("equal seeds have equal features, others others", () => {
    const { x } = queries(3, 2);
    const of = (seed: number) => fourierSurrogate(2, { features: 5, seed }).features(x);
    expect(of(3).toArray()).toEqual(of(3).toArray());
    expect(of(4).toArray()).not.toEqual(of(3).toArray());
  });

  it("refuses what does not fit", () => {
    expect(() => fourierSurrogate(2, { features: 0 })).toThrow(errorLike("ValueError", /features/));
    const holed = () => fourierSurrogate(1, { features: 5 }).fit([[1], [2]], [1, Number.NaN]);
    expect(holed).toThrow(errorLike("ValueError", /y holds NaN at position 1/));
    expect(() => fourierSurrogate(2, { length: 0 })).toThrow(errorLike("ValueError", /length/));
    const surrogate = fourierSurrogate(2, { features: 4 });
    expect(() => surrogate.features([[1]])).toThrow(errorLike("ShapeError", /\[n, 2\]/));
    expect(() => surrogate.gradient([1, 2, 3], [0, 0])).toThrow(errorLike("ShapeError", /weights .*\[4\]/));
  });
});

function linalgTrace(matrix: Tensor): number {
  const d = matrix.shape[0];
  return mul(matrix, eye(d, d, "float64"))
    .sum()
    .item();
}

it("a float32 tensor is read as float64", () => {
  const x = tensor([[0.1], [0.4]]);
  expect(trajectorySurrogate(x, tensor([1, 2])).gradient([0.2]).dtype).toBe("float64");
});
