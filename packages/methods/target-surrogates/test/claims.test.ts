import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { describe, expect, it } from "vitest";
import { conditioning, judgeConditioning } from "../claims/conditioning.js";
import { illConditioned, judgeIllConditioned } from "../claims/ill-conditioned.js";
import { imitation } from "../claims/imitation.js";
import { claims } from "../claims/index.js";
import { majorizer } from "../claims/majorizer.js";
import { judgeFactorisation, matrixFactorisation } from "../claims/matrix-factorisation.js";
import { type Method, targetSurrogates } from "../claims/method.js";
import { judgeRealData, realData } from "../claims/real-data.js";
import type { Marks } from "../claims/tuned-baselines.js";
import { OnlineSso, sso, TargetSurrogate } from "../src/index.js";

const run = (claim: Claim) => runClaim(claims, claim);

/** Gradient descent: one step on each surrogate, whatever was asked for. */
const oneStep: Method = {
  ...targetSurrogates,
  sso: (model, data, oracle, options) =>
    sso(model, data, oracle, { ...options, inner: { ...options.inner, solver: "armijo", steps: 1 } }),
  online: (model, options) => new OnlineSso(model, { ...options, inner: { steps: 1 } }),
};

describe("claims fail for what is not the method", () => {
  it("are all there", () => {
    expect(claims.claims.map(({ id }) => id)).toEqual([
      "majorizer",
      "conditioning",
      "real-data",
      "ill-conditioned",
      "matrix-factorisation",
      "imitation",
    ]);
  });

  it("majorizer: fails for proximal terms that are too light or too heavy, and for steps that are not the ones asked for", async () => {
    const light: Method = {
      ...targetSurrogates,
      surrogate: (z, g, D, value) => new TargetSurrogate(z, g, 0.5 * (D as number), value),
    };
    const heavy: Method = {
      ...targetSurrogates,
      surrogate: (z, g, D, value) => new TargetSurrogate(z, g, 8 * (D as number), value),
    };
    const two: Method = {
      ...targetSurrogates,
      sso: (model, data, oracle, options) =>
        sso(model, data, oracle, {
          ...options,
          inner: { ...options.inner, ...(options.inner?.solver !== "exact" && { steps: 2 }) },
        }),
    };
    for (const broken of [light, heavy, two]) {
      expect(await run(majorizer(broken))).toMatchObject({ holds: false });
    }
  });

  it("conditioning: fails for one step on each surrogate", async () => {
    expect(await run(conditioning(oneStep, 400))).toMatchObject({ holds: false });
    const calls = { exact: [65, 65, 66], descent: 1146, m1: 1146, m100: 66 };
    expect(judgeConditioning(calls)).toBe(true);
    expect(judgeConditioning({ ...calls, exact: [65, 65, 67] })).toBe(false);
    expect(judgeConditioning({ ...calls, m100: 86 })).toBe(false);
    expect(judgeConditioning({ ...calls, m1: 1145 })).toBe(false);
    expect(judgeConditioning({ ...calls, descent: 640, m1: 640 })).toBe(false);
  });

  it("real data: fails for one step on each surrogate, and where any of its conditions does", async () => {
    expect(await run(realData(oneStep, 1))).toMatchObject({ holds: false });
    const means: Record<string, Marks> = {
      "m = 50": [0.059, 0.037],
      "m = 10": [0.097, 0.055],
      "m = 1": [0.239, 0.09],
      Adam: [0.178, 0.043],
      AdaGrad: [0.159, 0.064],
    };
    expect(judgeRealData(means)).toBe(true);
    expect(judgeRealData({ ...means, "m = 10": [0.05, 0.055] })).toBe(false);
    expect(judgeRealData({ ...means, Adam: [0.178, 0.036] })).toBe(false);
    expect(judgeRealData({ ...means, Adam: [0.09, 0.043] })).toBe(false);
    expect(judgeRealData({ ...means, AdaGrad: [0.159, 0.045] })).toBe(false);
  });

  it("ill-conditioned data: fails for one step on each surrogate, and where a single run does", async () => {
    expect(await run(illConditioned(oneStep, 1))).toMatchObject({ holds: false });
    const good: Record<string, Marks> = { "m = 50": [0, 0.004], Adam: [0, 0.03], SGD: [0, 0.02] };
    expect(judgeIllConditioned([good, good])).toBe(true);
    expect(judgeIllConditioned([good, { ...good, "m = 50": [0, 0.006] }])).toBe(true);
    expect(judgeIllConditioned([good, good, good, { ...good, SGD: [0, 0.007] }])).toBe(false);
    expect(judgeIllConditioned([{ ...good, "m = 50": [0, 0.006] }])).toBe(false);
  });

  it("matrix factorisation: fails for one step on each surrogate, and for losses that rise", async () => {
    expect(await run(matrixFactorisation(oneStep))).toMatchObject({ holds: false });
    const good = { wide: [1e-9, 1e-2], narrow: [1e-5, 0.1], monotone: true } as const;
    expect(judgeFactorisation(good)).toBe(true);
    expect(judgeFactorisation({ ...good, monotone: false })).toBe(false);
    expect(judgeFactorisation({ ...good, wide: [1e-4, 1e-2] })).toBe(false);
    expect(judgeFactorisation({ ...good, narrow: [0.01, 0.1] })).toBe(false);
  });

  it("imitation: fails for one step on each round", async () => {
    expect(await run(imitation(oneStep, 1))).toMatchObject({ holds: false });
  });
});
