import { condition, evidenceTerms, nngp, squaredExponential } from "@offprint/gaussian-process";
import { add, diag, full, linalg, matmul, mul, random, sin, special, square, sum, tensor } from "@offprint/tensor-core";
import { errorLike, expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { fitByEvidence, fitByValidation, regress, type ScalePrior } from "../src/index.js";
import { studentLaw } from "../src/standard-law.js";

const kernel = nngp({ kind: "fullyConnected", depth: 2, activation: "erf", weightVariance: 3, readoutVariance: 1 });
const rng = random.rng(3);
const x = rng.uniform([14, 2], { low: -2, high: 2, dtype: "float64" });
const y = add(mul(2, sum(sin(x), 1)), rng.normal([14], { std: 0.3, dtype: "float64" }));
const z = rng.uniform([6, 2], { low: -3, high: 3, dtype: "float64" });
const at = [-2, -1, 0, 0.5, 1, 3];
const noise = 0.07;
const student = { kind: "inverseGamma", shape: 2, rate: 1.5 } as const;
const every: ScalePrior[] = [
  { kind: "point", value: 1.7 },
  { kind: "fitted" },
  student,
  { kind: "gamma", shape: 1.5, rate: 0.8 },
  { kind: "burr", c: 2, d: 1 },
];
const lgamma = (v: number) => special.lgamma(tensor(v, { dtype: "float64" })).item();

describe("with an inverse gamma prior, posterior and evidence", () => {
  const { shape: a, rate: b } = student;
  const n = 14;
  const Ky = add(kernel.matrix(x), diag(full([n], noise, "float64")));
  const { quadratic, logDeterminant } = evidenceTerms(Ky, y);
  const q = quadratic.item();
  const process = regress(kernel, x, y, { prior: student, noise });

  it("are those of section 3", () => {
    const predicted = process.predict(z);
    const weights = linalg.solve(Ky, y);
    const cross = kernel.matrix(z, x);
    expectClose(predicted.mean, matmul(cross, weights), 1e-9);
    const C = add(kernel.matrix(z), matmul(cross, linalg.solve(Ky, cross.transpose())).mul(-1));
    const C0 = Array.from({ length: 6 }, (_, i) => C.data()[7 * i] + noise);
    const df = 2 * a + n;
    expect(predicted.degreesOfFreedom).toBe(df);
    const size = C0.map((c) => ((2 * b + q) / df) * c);
    const expected = size.map((s, i) => {
      const t = (at[i] - predicted.mean.data()[i]) ** 2 / s;
      return (
        lgamma((df + 1) / 2) - lgamma(df / 2) - 0.5 * Math.log(df * Math.PI * s) - ((df + 1) / 2) * Math.log1p(t / df)
      );
    });
    expectClose(predicted.logDensity(at), expected, 1e-9);
    expectClose(
      predicted.variance,
      size.map((s) => (s * df) / (df - 2)),
      1e-9,
    );
    const evidence =
      lgamma(a + n / 2) -
      lgamma(a) -
      (n / 2) * Math.log(2 * Math.PI) +
      a * Math.log(b) -
      (a + n / 2) * Math.log(b + q / 2) -
      logDeterminant.item() / 2;
    expect(process.logEvidence).toBeCloseTo(evidence, 9);
    expect(process.scale.mean).toBeCloseTo((b + q / 2) / (a + n / 2 - 1), 10);
  });

  it("become those of a Gaussian process where the scale is known ever better", () => {
    const sure = regress(kernel, x, y, { prior: { kind: "inverseGamma", shape: 1e6, rate: 1e6 }, noise });
    const known = regress(kernel, x, y, { prior: { kind: "point" }, noise });
    expectClose(sure.predict(z).logDensity(at), known.predict(z).logDensity(at), 1e-4);
    expect(sure.logEvidence).toBeCloseTo(known.logEvidence, 3);
    const gaussian = condition(kernel, x, y, { noise });
    expectClose(known.predict(z, { noisy: false }).variance, gaussian.variance(z), 1e-12);
    expect(known.logEvidence).toBeCloseTo(gaussian.logEvidence, 10);
  });

  it("lose no digit however well the scale is known", () => {
    const known = regress(kernel, x, y, { prior: { kind: "point" }, noise }).predict(z);
    for (const shape of [1e8, 1e12, 1e60, 1e154]) {
      const sure = regress(kernel, x, y, { prior: { kind: "inverseGamma", shape, rate: shape }, noise }).predict(z);
      const close = 100 / shape + 1e-12;
      expectClose(sure.logDensity(at), known.logDensity(at), close);
      expectClose(sure.cdf(at), known.cdf(at), close);
      for (const p of [1e-9, 0.05, 0.6]) expectClose(sure.quantile(p), known.quantile(p), close);
    }
  });

  it("have Student's distribution function on both sides of where it is computed otherwise", () => {
    // 2 * scipy.stats.t.sf(1.7, 2 * shape)
    const tails = { 1e5: 0.08913248038316625, 1e6: 0.08913108100372034, 1e7: 0.08913094106574992 };
    for (const [shape, tail] of Object.entries(tails)) {
      const law = studentLaw(Number(shape), Number(shape));
      expect(2 * law.cdf(tensor(-1.7, { dtype: "float64" })).item()).toBeCloseTo(tail, 10);
    }
  });

  it("do not tell k times the rate from k times the read-out's variance", () => {
    const k = 3.7;
    const wide = nngp({
      ...{ kind: "fullyConnected", depth: 2, activation: "erf", weightVariance: 3 },
      readoutVariance: k,
    });
    const first = regress(wide, x, y, { prior: student, noise: k * noise });
    const second = regress(kernel, x, y, { prior: { ...student, rate: k * b }, noise });
    expect(first.logEvidence).toBeCloseTo(second.logEvidence, 9);
    expectClose(first.predict(z).logDensity(at), second.predict(z).logDensity(at), 1e-9);
  });

  it("without observations are the prior's t", () => {
    const nothing = regress(kernel, tensor([], { dtype: "float64" }).reshape([0, 2]), [], { prior: student });
    expect(nothing.logEvidence).toBeCloseTo(0, 12);
    expect(nothing.predict(z).degreesOfFreedom).toBe(2 * a);
    expectClose(nothing.predict(z, { noisy: false }).variance, mul(b / (a - 1), kernel.diagonal(z)), 1e-10);
  });
});

describe("every prior", () => {
  it("says the same of targets in any units where its tail lets them decide, and refuses what is left with nothing", () => {
    const burr = { kind: "burr", c: 2, d: 1 } as const;
    for (const inference of [{}, { method: "importance" }] as const) {
      const told = (unit: number) => {
        const process = regress(kernel, x, mul(y, unit), { prior: burr, noise, inference });
        return mul(process.predict(z).interval(0.9).low, 1 / unit);
      };
      // Far from 1 the density is a power of s, whose units do not matter.
      expectClose(told(1e-150), told(1e-20), 1e-7);
      expectClose(told(1e150), told(1e20), 1e-7);
    }
    const light = { kind: "gamma", shape: 2, rate: 2 } as const;
    expect(() => regress(kernel, x, mul(y, 1e20), { prior: light, noise })).toThrow(/nothing is left to integrate/);
  });

  it("has an evidence that grows by the predictive density of each further value", () => {
    for (const prior of every.filter(({ kind }) => kind !== "fitted")) {
      const rows = (from: number, to: number) => [{ start: from, stop: to }];
      const before = regress(kernel, x.slice(rows(0, 13)), y.slice(rows(0, 13)), { prior, noise });
      const after = regress(kernel, x, y, { prior, noise });
      const gained = before
        .predict(x.slice(rows(13, 14)))
        .logDensity(y.slice(rows(13, 14)))
        .item();
      expect(after.logEvidence - before.logEvidence).toBeCloseTo(gained, 8);
    }
  });

  it("has densities that integrate to its probabilities, whose quantiles are their inverses", () => {
    for (const prior of every) {
      const predicted = regress(kernel, x, y, { prior, noise }).predict(z.slice([{ start: 0, stop: 1 }]));
      const nodes = Array.from({ length: 801 }, (_, k) => -10 + k * 0.025);
      const density = predicted
        .logDensity(tensor(nodes, { dtype: "float64" }).reshape([801, 1]))
        .exp()
        .data();
      const mass = nodes.reduce((sofar, v, k) => sofar + (v <= 1 ? density[k] * (v === 1 ? 0.0125 : 0.025) : 0), 0);
      const outside = predicted.cdf([-10]).item();
      expect(mass + outside).toBeCloseTo(predicted.cdf([1]).item(), 3);
      for (const p of [0.003, 0.25, 0.5, 0.97]) expect(predicted.cdf(predicted.quantile(p)).item()).toBeCloseTo(p, 11);
      const { low, high } = predicted.interval(0.8);
      expect(predicted.cdf(high).item() - predicted.cdf(low).item()).toBeCloseTo(0.8, 10);
    }
  });

  it("can be taken under the same observations", () => {
    const first = regress(kernel, x, y, { prior: student, noise, standardize: true });
    for (const prior of every) {
      const again = regress(kernel, x, y, { prior, noise, standardize: true });
      const changed = first.under(prior);
      expect(changed.logEvidence).toBeCloseTo(again.logEvidence, 10);
      expectClose(first.predict(z).under(changed.scale).logDensity(at), again.predict(z).logDensity(at), 1e-10);
    }
  });

  it("draws functions with its mean, and a scale for each", () => {
    const count = 2000;
    const process = regress(kernel, x, y, { prior: student, noise });
    const drawn = process.sample(z, { count, rng: random.rng(8) });
    const predicted = process.predict(z, { noisy: false });
    const deviation = predicted.variance.sqrt();
    expectClose(drawn.mean(0).sub(predicted.mean).div(deviation), new Float64Array(6), 0.09);
    expectClose(square(drawn.sub(predicted.mean)).mean(0).div(predicted.variance), new Float64Array(6).fill(1), 0.2);
  });
});

describe("generic priors by importance sampling", () => {
  it("come close to quadrature from Laplace's proposal, and say when the prior's draws are worth little", () => {
    for (const prior of [
      { kind: "burr", c: 2, d: 1 },
      { kind: "gamma", shape: 2, rate: 1 },
    ] as const) {
      const exact = regress(kernel, x, y, { prior, noise });
      const laplace = regress(kernel, x, y, { prior, noise, inference: { method: "importance" } });
      for (const p of [0.001, 0.1, 0.6, 0.999]) {
        const values = exact.predict(z).quantile(p);
        expectClose(laplace.predict(z).logDensity(values), exact.predict(z).logDensity(values), { absolute: 0.03 });
      }
      expect(laplace.logEvidence).toBeCloseTo(exact.logEvidence, 2);
      expect(laplace.scale.effectiveSize).toBeGreaterThan(600);
      expect(laplace.scale.unreliable).toBe(false);
      const inference = { method: "importance", proposal: "prior", draws: 5000 } as const;
      const many = regress(kernel, x, y, { prior, noise, inference });
      expect(many.logEvidence).toBeCloseTo(exact.logEvidence, 1);
      const few = regress(kernel, x, y, { prior, noise, inference: { ...inference, draws: 50 } });
      expect(few.scale.unreliable).toBe(true);
    }
  });

  it("take a density and a proposal of one's own", () => {
    const { shape, rate } = student;
    const logDensity = (s: number) => shape * Math.log(rate) - lgamma(shape) - (shape + 1) * Math.log(s) - rate / s;
    const sample = (source: random.Rng) => rate / source.gamma([], { concentration: shape, dtype: "float64" }).item();
    const exact = regress(kernel, x, y, { prior: student, noise });
    const own = { kind: "density", logDensity, sample } as const;
    expect(regress(kernel, x, y, { prior: own, noise }).logEvidence).toBeCloseTo(exact.logEvidence, 8);
    const inference = { method: "importance", proposal: { logDensity, sample }, draws: 5000 } as const;
    const drawn = regress(kernel, x, y, { prior: own, noise, inference });
    expect(drawn.logEvidence).toBeCloseTo(exact.logEvidence, 1);
    const source = random.rng(2);
    const mean = Array.from({ length: 2000 }, () => drawn.scale.sample(source)).reduce((a, v) => a + v / 2000, 0);
    expect(Math.abs(mean / exact.scale.mean - 1)).toBeLessThan(0.1);
  });
});

describe("fits", () => {
  it("by evidence raise it, in the targets' own units", async () => {
    const start = regress(kernel, x, y, { prior: student, noise: 0.01, standardize: true });
    const fitted = await fitByEvidence(kernel, x, mul(100, y), { standardize: true, maxIterations: 40 });
    const same = await fitByEvidence(kernel, x, y, { standardize: true, maxIterations: 40 });
    expect(same.logEvidence).toBeGreaterThan(start.logEvidence);
    expect(fitted.logEvidence + 14 * Math.log(100)).toBeCloseTo(same.logEvidence, 6);
    expectClose(fitted.process.predict(z).mean, mul(100, same.process.predict(z).mean), { ofLargest: 1e-6 });
    expect(-same.objective - 14 * Math.log(Math.sqrt(square(y.sub(y.mean())).mean().item()))).toBeCloseTo(
      same.logEvidence,
      6,
    );
  });

  it("by validation choose as trying everything would", async () => {
    const kernels = [kernel, squaredExponential(), squaredExponential({ length: 0.4 })];
    const noises = [0.01, 0.1, 1];
    const priors = [student, { kind: "fitted" }, { kind: "burr", c: 2, d: 1 }] as const;
    const [train, validation] = [
      { x: x.slice([{ start: 0, stop: 9 }]), y: y.slice([{ start: 0, stop: 9 }]) },
      { x: x.slice([{ start: 9, stop: 14 }]), y: y.slice([{ start: 9, stop: 14 }]) },
    ];
    for (const ridge of ["absolute", "relative"] as const) {
      const settings = { ridge, standardize: true };
      const found = await fitByValidation({ kernels, noises, priors }, train, validation, settings);
      const all = kernels.flatMap((k, i) =>
        noises.flatMap((v, j) =>
          priors.map((prior, p) => {
            const process = regress(k, train.x, train.y, { prior, noise: v, ...settings });
            const deviation = Math.sqrt(square(train.y.sub(train.y.mean())).mean().item());
            const score = -process.predict(validation.x).logDensity(validation.y).mean().item() - Math.log(deviation);
            return { kernel: i, noise: j, prior: p, score };
          }),
        ),
      );
      const best = all.reduce((a, b) => (b.score < a.score ? b : a));
      expect({ ...found.choice, score: 0 }).toEqual({ ...best, score: 0 });
      expect(found.choice?.score).toBeCloseTo(best.score, 8);
      expect(found.status).toBe("converged");
      expect(found.choices.map(({ prior }) => prior)).toEqual([0, 1, 2]);
    }
  });
});

it("refuses what does not fit, by name", async () => {
  const bad = (options: object) => () => regress(kernel, x, y, options as never);
  const cases: [() => unknown, RegExp][] = [
    [bad({ prior: { kind: "inverseGamma", shape: 0, rate: 1 } }), /prior.shape is 0/],
    [bad({ prior: { kind: "inverseGamma", shape: 1, rate: -1 } }), /prior.rate is -1/],
    [bad({ prior: { kind: "gamma", shape: 1, rate: 0 } }), /prior.rate is 0/],
    [bad({ prior: { kind: "burr", c: 0, d: 1 } }), /prior.c is 0/],
    [bad({ prior: { kind: "cauchy" } }), /prior.kind/],
    [bad({ prior: { kind: "density", logDensity: 3 } }), /prior.logDensity is number/],
    [bad({ prior: null }), /prior is null/],
    [bad({ prior: {} }), /prior.kind is null; it must be one of "point"/],
    [() => regress(undefined as never, x, y), /the kernel is undefined; give one/],
    [bad({ noise: -1 }), /noise is -1/],
    [bad({ ridge: "some" }), /ridge/],
    [bad({ epsilon: 1 }), /there is no option "epsilon"/],
    [bad({ inference: { method: "magic" } }), /inference.method/],
    [bad({ inference: { draws: 0 } }), /inference.draws/],
    [bad({ inference: { proposal: 3 } }), /inference.proposal/],
    [() => regress(kernel, x, y.mul(Number.NaN)), /y holds a value that is not finite/],
    [() => regress(kernel, x.mul(Number.NaN), y), /x holds NaN at position 0/],
    [() => regress(kernel, x, y).predict(z.mul(Number.POSITIVE_INFINITY)), /x holds/],
    [() => regress(kernel, x.mul(1e200), y, { standardize: true }), /the deviation of x is no finite number/],
    [
      () => regress(kernel, x, y, { standardize: true }).predict([[0.3]]),
      /x has shape \[1,1\]; it must be \[points, 2\]/,
    ],
    [() => regress(kernel, x, [1, 2]), /y has shape \[2\]/],
    [() => regress(kernel, x, y).predict(z).logDensity([1]), /y has shape \[1\]; there are 6 points/],
    [() => regress(kernel, x, y).predict(z).quantile(1), /p is 1/],
    [() => regress(kernel, x, y).predict(z).interval(0), /level is 0/],
    [
      bad({ prior: { kind: "density", logDensity: () => 0 }, inference: { method: "importance", proposal: "prior" } }),
      /prior has no sample/,
    ],
  ];
  for (const [run, message] of cases) expect(run).toThrow(message);
  const repeated = tensor([[0], [1], [2], [3]], { dtype: "float64" });
  const broken = {
    ...squaredExponential(),
    matrix: () => full([4, 4], 1, "float64").sub(diag(full([4], 2, "float64"))),
  };
  expect(() => regress(broken, repeated, [1, 2, 3, 4], { noise: 0 })).toThrow(
    errorLike("ConvergenceError", /not positive definite, even with 1e-4 of its diagonal added/),
  );
  await expect(fitByEvidence(kernel, x, y, { prior: { kind: "burr", c: 1, d: 1 } as never })).rejects.toThrow(
    /prior.kind/,
  );
  await expect(fitByValidation({ kernels: [] }, { x, y }, { x, y })).rejects.toThrow(/candidates.kernels is empty/);
  await expect(fitByValidation({ kernels: [kernel], noises: [0] }, { x, y }, { x, y })).rejects.toThrow(
    /noises holds 0/,
  );
  await expect(fitByValidation({ kernels: [kernel] }, { x, y }, { x: z, y })).rejects.toThrow(/validation.x has shape/);
});
