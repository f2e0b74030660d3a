import { nngp } from "@offprint/gaussian-process";
import {
  exp,
  grad,
  linalg,
  log,
  matmul,
  mul,
  random,
  special,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "@offprint/tensor-core";
import { expectClose, expectGradient, numericalGradient } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { gammaByShape } from "../src/gamma-gradient.js";
import { fitClassifier } from "../src/index.js";
import {
  divergence,
  expectedLoss,
  inducingOf,
  latentDraws,
  latentMarginals,
  scaleDivergence,
  type VariationalParameters,
} from "../src/variational-objective.js";

const kernel = nngp({ kind: "fullyConnected", depth: 2, readoutVariance: 1 });
const rng = random.rng(5);
const scalar = (v: number) => tensor(v, { dtype: "float64" });
const student = { kind: "inverseGamma", shape: 2, rate: 2 } as const;

function parametersOf(shape: number, rate: number): VariationalParameters {
  return {
    inducing: random.rng(1).normal([5, 3], { dtype: "float64" }),
    mean: random.rng(2).normal([2, 5], { dtype: "float64" }),
    logVariance: random.rng(3).normal([2, 5], { std: 0.3, dtype: "float64" }),
    logShape: scalar(Math.log(shape)),
    logRate: scalar(Math.log(rate)),
    kernel: kernel.parameters,
  };
}

describe("the divergence", () => {
  it("of the scale is that of numeric integration, and 0 from itself", () => {
    const density = (a: number, b: number, s: number) => {
      const lgamma = special.lgamma(scalar(a)).item();
      return a * Math.log(b) - lgamma - (a + 1) * Math.log(s) - b / s;
    };
    const [a, b, shape, rate] = [3.2, 1.7, 2, 2.5];
    let total = 0;
    for (let k = -4000; k <= 8000; k++) {
      const s = Math.exp(k / 1000);
      total += (Math.exp(density(a, b, s)) * (density(a, b, s) - density(shape, rate, s)) * s) / 1000;
    }
    expect(scaleDivergence(scalar(a), scalar(b), { shape, rate }).item()).toBeCloseTo(total, 7);
    expect(scaleDivergence(scalar(2), scalar(3), { shape: 2, rate: 3 }).item()).toBeCloseTo(0, 12);
  });

  it("of the latent functions is that of Gaussians whose covariances are scaled alike", () => {
    const parameters = parametersOf(2.5, 1.5);
    const at = inducingOf(kernel, parameters, 1e-6);
    const K = matmul(at.factor, at.factor.transpose());
    const inverse = linalg.inverse(K);
    let expected = 0;
    for (let c = 0; c < 2; c++) {
      const mu = parameters.mean.slice([c]);
      const variances = exp(parameters.logVariance.slice([c]));
      const traces = [0, 1, 2, 3, 4].reduce((sofar, m) => sofar + inverse.data()[6 * m] * variances.data()[m], 0);
      const quadratic = sum(mul(mu, matmul(inverse, mu))).item();
      expected +=
        0.5 * (linalg.slogdet(K).logAbsDet.item() - sum(log(variances)).item() - 5 + traces + (2.5 / 1.5) * quadratic);
    }
    const ofScale = scaleDivergence(scalar(2.5), scalar(1.5), student).item();
    expect(divergence(at, parameters, student).item()).toBeCloseTo(expected + ofScale, 8);
  });

  it("has the gradients of differences", () => {
    const parameters = parametersOf(2.5, 1.5);
    expectGradient(
      (Z: Tensor) => divergence(inducingOf(kernel, { ...parameters, inducing: Z }, 1e-6), parameters, student),
      [parameters.inducing],
    );
    expectGradient(
      (t: Tensor) => divergence(inducingOf(kernel, parameters, 1e-6), { ...parameters, logShape: t }, student),
      [parameters.logShape],
    );
  });
});

describe("draws of the scale", () => {
  it("move with the shape as the distribution function says", () => {
    for (const shape of [0.6, 2, 7.5, 300]) {
      const x = Float64Array.from([-1.5, -0.5, 0.5, 2], (v) => Math.max(0.1, shape + v * Math.sqrt(shape)));
      const P = (a: number, v: number) => special.gammainc(scalar(a), scalar(v)).item();
      const h = 1e-5 * shape;
      const expected = Array.from(x, (v) => {
        const density = (P(shape, v + h) - P(shape, v - h)) / (2 * h);
        return -(P(shape + h, v) - P(shape - h, v)) / (2 * h) / density;
      });
      expectClose(gammaByShape(shape, x), expected, { relative: 2e-4, absolute: 2e-4 });
    }
  });

  it("give the gradient of an expectation: E G = a has the slope 1", () => {
    const draws = random.rng(2).gamma([20000], { concentration: 2.3, dtype: "float64" });
    const slopes = gammaByShape(2.3, Float64Array.from(draws.data()));
    expect(slopes.reduce((a, v) => a + v / 20000, 0)).toBeCloseTo(1, 1.5);
  });

  it("have the variance of a Student t, and are shared by the classes of a point", () => {
    const [a, b, n] = [3, 2, 40000];
    const marginals = { location: zeros([1, 2], "float64"), variance: tensor([[1.5, 1.5]], { dtype: "float64" }) };
    const normal = rng.normal([n, 1, 2], { dtype: "float64" });
    const correlationOf = (columns: number) => {
      const gamma = random.rng(9).gamma([n, 1, columns], { concentration: a, dtype: "float64" });
      const noise = { normal, gamma, slope: zeros([1, 1, 1], "float64") };
      const f = latentDraws(marginals, parametersOf(a, b), student, noise).data();
      const size = (c: number) => Array.from({ length: n }, (_, i) => Math.abs(f[2 * i + c]));
      const variance = Array.from(f).reduce((sofar, v) => sofar + v ** 2 / (2 * n), 0);
      expect(Math.abs(variance / ((1.5 * (b / a) * 2 * a) / (2 * a - 2)) - 1)).toBeLessThan(0.05);
      const [u, v] = [size(0), size(1)];
      const [mu, mv] = [u, v].map((w) => w.reduce((s, t) => s + t / n, 0));
      return u.reduce((s, t, i) => s + (t - mu) * (v[i] - mv), 0) / n;
    };
    expect(correlationOf(1)).toBeGreaterThan(0.05);
    expect(Math.abs(correlationOf(2))).toBeLessThan(0.02);
  });
});

it("with a scale that is known ever better, the objective is that of the Gaussian process on the same noise", () => {
  const [x, S] = [rng.normal([7, 3], { dtype: "float64" }), 4];
  const targets = tensor(
    Array.from({ length: 7 }, (_, i) => (i % 2 === 0 ? [1, 0] : [0, 1])),
    { dtype: "float64" },
  );
  const normal = rng.normal([S, 7, 2], { dtype: "float64" });
  const large = 1e7;
  const parameters = parametersOf(large, large);
  const at = inducingOf(kernel, parameters, 1e-6);
  const marginals = latentMarginals(at, parameters, x);
  const lossOf = (prior: Parameters<typeof latentDraws>[2], g: number) => {
    const noise = { normal, gamma: tensor([[[g]]], { dtype: "float64" }), slope: zeros([1, 1, 1], "float64") };
    return expectedLoss(latentDraws(marginals, parameters, prior, noise), targets).item();
  };
  const sure = { kind: "inverseGamma", shape: large, rate: large } as const;
  expect(lossOf(sure, large)).toBeCloseTo(lossOf({ kind: "point" }, 1), 6);
  expect(divergence(at, parameters, sure).item()).toBeCloseTo(divergence(at, parameters, { kind: "point" }).item(), 5);
});

it("the gradient of the objective is that of differences where the noise is fixed", () => {
  const x = rng.normal([4, 3], { dtype: "float64" });
  const targets = tensor(
    [
      [1, 0],
      [0, 1],
      [1, 0],
      [0, 1],
    ],
    { dtype: "float64" },
  );
  const gamma = rng.gamma([3, 4, 1], { concentration: 2, dtype: "float64" });
  const normal = rng.normal([3, 4, 2], { dtype: "float64" });
  const parameters = parametersOf(2, 1.5);
  const at = inducingOf(kernel, parameters, 1e-6);
  const objective = (t: Tensor, slope: Tensor, g: Tensor) =>
    expectedLoss(
      latentDraws(latentMarginals(at, parameters, x), { ...parameters, logShape: t }, student, {
        normal,
        gamma: g,
        slope,
      }),
      targets,
    );
  const slope = tensor(gammaByShape(2, Float64Array.from(gamma.data())), { dtype: "float64" }).reshape([3, 4, 1]);
  const found = grad((t: Tensor) => objective(t, slope, gamma))(parameters.logShape).item();
  // The same by moving the gammas themselves along their slopes.
  const still = zeros([1, 1, 1], "float64");
  const moved = (t: Tensor) => objective(t, still, gamma.add(slope.mul(Math.exp(t.item()) - 2)));
  expect(found).toBeCloseTo(numericalGradient(moved, parameters.logShape).item(), 5);
});

it("learns three classes, with probabilities that sum to 1, and inducing points that were given", async () => {
  const x = rng.normal([60, 2], { dtype: "float64" });
  const labels = Array.from({ length: 60 }, (_, i) => {
    const [a, b] = [x.data()[2 * i], x.data()[2 * i + 1]];
    return a > 0.3 ? 2 : b > 0 ? 1 : 0;
  });
  for (const prior of [student, { kind: "point" }] as const) {
    const settings = { prior, inducing: x.slice([{ start: 0, stop: 15 }]), samples: 8, steps: 150, learningRate: 0.05 };
    const { model, history, status } = await fitClassifier(kernel, x, labels, settings);
    const p = model.probabilities(x, { samples: 200 });
    expectClose(p.sum(1), new Float64Array(60).fill(1), 1e-12);
    expect(labels.filter((label, i) => p.argMax(1).data()[i] === label).length).toBeGreaterThan(48);
    expect(history.at(-1)?.loss).toBeLessThan(history[0].loss);
    expect(status).toBe("limit");
    expect(model.classes).toBe(3);
    expect(model.divergence).toBeGreaterThan(0);
  }
});

it("standardised, does not depend on the units of its inputs, nor on which of them does not vary", async () => {
  const x = rng.normal([30, 2], { dtype: "float64" });
  const labels = Array.from({ length: 30 }, (_, i) => (x.data()[2 * i] > 0 ? 1 : 0));
  const [scale, shift] = [tensor([1000, 1e-3], { dtype: "float64" }), tensor([-5, 40], { dtype: "float64" })];
  for (const inducing of [
    8,
    [
      [0, 0],
      [1, -1],
    ],
  ] as const) {
    const settings = { samples: 4, steps: 20, standardize: true };
    const at = typeof inducing === "number" ? inducing : tensor(inducing, { dtype: "float64" });
    const moved = typeof at === "number" ? at : at.mul(scale).add(shift);
    const { model } = await fitClassifier(kernel, x, labels, { ...settings, inducing: at });
    const other = await fitClassifier(kernel, x.mul(scale).add(shift), labels, { ...settings, inducing: moved });
    expectClose(other.model.probabilities(x.mul(scale).add(shift)), model.probabilities(x), 1e-8);
  }
  const still = await fitClassifier(
    kernel,
    [
      [3, 0],
      [3, 1],
      [3, 2],
    ],
    [0, 0, 1],
    { steps: 2, standardize: true },
  );
  expect(
    still.model
      .probabilities([[3, 1]])
      .data()
      .every(Number.isFinite),
  ).toBe(true);
  await expect(fitClassifier(kernel, x.mul(1e200), labels, { standardize: true })).rejects.toThrow(
    /the deviation of x is no finite number/,
  );
});

it("refuses what does not fit, by name", async () => {
  const x = [[0], [1], [2]];
  const cases: [() => Promise<unknown>, RegExp][] = [
    [() => fitClassifier(kernel, x, [0, 1, -1]), /labels must be integers from 0/],
    [() => fitClassifier(kernel, x, [0, 0.5, 1]), /labels must be integers from 0/],
    [() => fitClassifier(kernel, x, [0, 0, 0]), /labels are of one class/],
    [() => fitClassifier(kernel, x, [0, 1]), /labels \[2\]/],
    [() => fitClassifier(kernel, x, [0, 1, 1], { inducing: 4 }), /inducing is 4/],
    [() => fitClassifier(kernel, x, [0, 1, 1], { inducing: [[1, 2]] }), /inducing has shape \[1,2\]/],
    [() => fitClassifier(kernel, x, [0, 1, 1], { prior: { kind: "burr", c: 1, d: 1 } as never }), /prior.kind/],
    [() => fitClassifier(kernel, [[0], [Number.NaN], [1]], [0, 1, 1]), /x holds a value that is not finite/],
  ];
  for (const [run, message] of cases) await expect(run()).rejects.toThrow(message);
  const { model } = await fitClassifier(kernel, x, [0, 1, 1], { steps: 0 });
  expect(() => model.probabilities([[1, 2]])).toThrow(/x has shape \[1,2\]; it must be \[points, 1\]/);
});
