import { runConformance } from "@offprint/solvers/conformance";
import { div, log, mul, random, sin, square, sub, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { errorLike, expectClose, readFixture } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  compiled,
  fit as fitKernel,
  type Kernel,
  matern,
  nngp,
  onInputs,
  productOf,
  scale,
  squaredExponential,
  sumOf,
} from "../src/index.js";
import type { Reference } from "./reference.js";

const { X, y, fitted } = readFixture<Reference>(import.meta.url, "sklearn.json");
const start = scale(squaredExponential({ length: [1, 1, 1] }), 1);

describe("fit", () => {
  it("finds the parameters that scikit-learn finds after five restarts", async () => {
    const { kernel, noise, logEvidence, status, posterior } = await fitKernel(start, X, y, { tolerance: 1e-6 });
    expect(status).toBe("converged");
    expect(logEvidence).toBeCloseTo(fitted.logEvidence, 5);
    expect(posterior.logEvidence).toBe(logEvidence);
    const { variance, kernel: inner } = kernel.values as { variance: Tensor; kernel: { length: Tensor } };
    expectClose([variance.item(), ...(inner.length.toArray() as number[]), noise], fitted.theta, { relative: 1e-2 });
  });

  it("keeps the noise where it is told to, and follows a prior", async () => {
    const fixed = await fitKernel(start, X, y, { fitNoise: false, noise: 0.05 });
    expect(fixed.noise).toBeCloseTo(0.05, 12);
    const narrow = (kernel: Kernel) => {
      const { length } = (kernel.values as { kernel: { length: Tensor } }).kernel;
      return mul(-1e4, sum(square(sub(log(length), Math.log(0.5)))));
    };
    const { kernel } = await fitKernel(start, X, y, { logPrior: narrow });
    expectClose((kernel.values as { kernel: { length: Tensor } }).kernel.length, [0.5, 0.5, 0.5], 0.02);
  });

  it("refuses values that tell nothing of the noise, and takes them where it is known", async () => {
    const flat = X.map(() => 2);
    await expect(fitKernel(start, X, flat, { mean: 2 })).rejects.toThrow(/y is the mean everywhere/);
    expect((await fitKernel(start, X, flat, { mean: 2, fitNoise: false, maxIterations: 2 })).noise).toBeCloseTo(
      0.01,
      12,
    );
  });

  it("refuses targets whose squares leave float64, and options that are none", async () => {
    const x = [[0], [0.4], [1]];
    for (const unit of [1e-150, 1e-170, 1e170]) {
      await expect(fitKernel(squaredExponential(), x, [0, unit, -unit])).rejects.toThrow(
        errorLike("ValueError", /fit: y less its mean is at most 1e.1.0, and its squares leave float64/),
      );
    }
    const bad = [{ fitNoise: "no" }, { logPrior: 3 }, { mean: "0" }, { mean: Number.NaN }, { fitScale: 1 }];
    for (const options of bad) {
      const [name] = Object.keys(options);
      await expect(fitKernel(squaredExponential(), x, [0, 1, 2], options as never)).rejects.toThrow(
        errorLike("ValueError", new RegExp(`fit: ${name} is `)),
      );
    }
  });

  it("fits a Student-t process", async () => {
    const { status, posterior } = await fitKernel(start, X, y, { scale: { kind: "inverseGamma", shape: 2, rate: 2 } });
    expect(status).toBe("converged");
    expect(posterior.scale.degreesOfFreedom).toBe(29);
  });

  it("fits the distribution of the scale, too", async () => {
    const given = { kind: "inverseGamma", shape: 2, rate: 2 } as const;
    const [kept, fitted] = [false, true].map((fitScale) => fitKernel(start, X, y, { scale: given, fitScale }));
    const { scale: law, posterior, logEvidence } = await fitted;
    if (law.kind !== "inverseGamma") throw new Error("another kind of scale");
    expect(logEvidence).toBeGreaterThan((await kept).logEvidence);
    expect(posterior.scale.degreesOfFreedom).toBeCloseTo(2 * law.shape + 25, 12);
    // With a free variance the rate alone says nothing: the evidence grows towards a known scale.
    expect(law.shape).toBeGreaterThan(2);
    await expect(fitKernel(start, X, y, { fitScale: true })).rejects.toThrow(
      /fitScale is for scale.kind "inverseGamma"/,
    );
  });
});

describe("a fit in another unit", () => {
  const units = [1e-6, 1e-3, 1e3, 1e6];
  const inputs = tensor(X, { dtype: "float64" });
  const targets = tensor(y, { dtype: "float64" });
  const scaled = sumOf(start, scale(matern({ length: 2 }), 0.1));
  const network = nngp({ kind: "fullyConnected", depth: 2, activation: "erf", readoutVariance: 1 });

  it.each([
    ["a scaled kernel", start],
    ["a sum", scaled],
    ["a product, compiled", compiled(productOf(squaredExponential({ length: 3 }), onInputs(start, [0, 1, 2])))],
    ["a network", network],
  ])("of targets is the same one, wherever it begins: %s", async (_, kernel) => {
    const known = await fitKernel(kernel, inputs, targets);
    const at = [[0.3, -0.2, 0.1]];
    for (const unit of units) {
      const found = await fitKernel(kernel, inputs, mul(unit, targets));
      expect(found.status).toBe(known.status);
      expect(found.objective).toBeCloseTo(known.objective, 6);
      expect(found.logEvidence + y.length * Math.log(unit)).toBeCloseTo(known.logEvidence, 6);
      expect(found.noise / unit ** 2).toBeCloseTo(known.noise, 6);
      expectClose(div(found.posterior.mean(at), unit), known.posterior.mean(at), { relative: 1e-4 });
      expectClose(div(found.posterior.variance(at), unit ** 2), known.posterior.variance(at), { relative: 1e-3 });
    }
  });

  it("of inputs is the same one where lengths begin in it", async () => {
    const known = await fitKernel(start, inputs, targets);
    for (const unit of units) {
      const begin = scale(squaredExponential({ length: [unit, unit, unit] }), 1);
      const found = await fitKernel(begin, mul(unit, inputs), targets);
      expect(found.status).toBe("converged");
      expect(found.logEvidence).toBeCloseTo(known.logEvidence, 6);
      const lengths = ({ values }: Kernel) => (values as { kernel: { length: Tensor } }).kernel.length;
      expectClose(div(lengths(found.kernel), unit), lengths(known.kernel), { relative: 1e-3 });
    }
  });

  it("is the same one for a Student-t process, whose scale takes the unit", async () => {
    const law = { kind: "inverseGamma", shape: 2, rate: 2 } as const;
    for (const fitScale of [true, false]) {
      const known = await fitKernel(start, inputs, targets, { scale: law, fitScale });
      for (const unit of units) {
        const found = await fitKernel(start, inputs, mul(unit, targets), { scale: law, fitScale });
        expect(found.logEvidence + y.length * Math.log(unit)).toBeCloseTo(known.logEvidence, 5);
      }
    }
  });

  it("begins with the kernel as it is where its parameters cannot be multiplied", async () => {
    const own = squaredExponential();
    expect(own.times).toBeUndefined();
    expect(sumOf(start, own).times).toBeUndefined();
    const { kernel, noise } = await fitKernel(own, inputs, mul(1e3, targets), { maxIterations: 0 });
    expectClose((kernel.values as { length: Tensor }).length, 1, 1e-12);
    expect(noise).toBeCloseTo(0.01, 12);
  });
});

describe("times", () => {
  it("multiplies all covariances of kernels that have a variance", () => {
    const Z = tensor(X, { dtype: "float64" });
    const network = nngp({ kind: "fullyConnected", depth: 2, readoutVariance: 3 });
    for (const kernel of [
      start,
      network,
      sumOf(start, network),
      productOf(squaredExponential(), start, start),
      onInputs(scale(matern(), 2), [1]),
    ]) {
      const grown = kernel.times?.(7);
      if (grown === undefined) throw new Error("no times");
      expectClose(grown.matrix(Z), mul(7, kernel.matrix(Z)), { relative: 1e-12 });
      expectClose(grown.diagonal(Z), mul(7, kernel.diagonal(Z)), { relative: 1e-12 });
      expectClose(grown.with(kernel.parameters).matrix(Z), kernel.matrix(Z), { relative: 1e-12 });
    }
  });
});

const many = random.rng(1).uniform([260, 4], { dtype: "float64" });

runConformance(
  "fit",
  {
    run: ({ large, ...options }) =>
      large
        ? fitKernel(scale(squaredExponential(), 1), many, sum(sin(mul(9, many)), 1), {
            tolerance: 0,
            decreaseTolerance: 0,
            ...options,
          })
        : fitKernel(start, X, y, { tolerance: 0, decreaseTolerance: 0, ...options }),
    limit: "maxIterations",
    short: 5,
    endless: { large: true, maxIterations: 1e9 },
    seeded: false,
    invalid: [{ noise: 0 }, { tolerance: -1 }, { scale: { kind: "none" } }],
    nonFinite: [
      () =>
        fitKernel(
          start,
          X,
          y.map(() => Number.NaN),
        ),
    ],
    outcome: ({ objective, history, noise, kernel }) => ({ objective, history, noise, parameters: kernel.parameters }),
  },
  { describe, it, expect },
);
