import { runConformance } from "@offprint/solvers/conformance";
import { log, mul, random, sin, square, sub, sum, type Tensor } from "@offprint/tensor-core";
import { expectClose, readFixture } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { fit as fitKernel, type Kernel, scale, squaredExponential } from "../src/index.js";
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
