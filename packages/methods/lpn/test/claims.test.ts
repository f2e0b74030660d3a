import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { mul, type Tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { compressedSensing, judge, type Scores } from "../claims/compressed-sensing.js";
import { convergence } from "../claims/convergence.js";
import { exactProx } from "../claims/exact-prox.js";
import { gaussian } from "../claims/gaussian.js";
import type { ImagesEffort } from "../claims/images.js";
import { claims } from "../claims/index.js";
import { type LaplacianEffort, laplacian } from "../claims/laplacian.js";
import { type Method, method } from "../claims/method.js";
import { learntPrior } from "../claims/prior.js";
import { fitProximal, type Lpn, type LpnParams, lpn } from "../src/index.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;

/** A network whose map is not the gradient of its potential. */
const bent: Method = {
  ...method,
  lpn(config) {
    const model = lpn(config);
    const turn = (x: Tensor) => mul(x, [1, 1.1]);
    return { ...model, prox: (p, y) => (model.shape[0] === 2 ? turn(model.prox(p, y)) : model.prox(p, y)) };
  },
};

/** Proximal matching left out: all stages with the squared error. */
const unmatched: Method = {
  ...method,
  fitProximal: ((model, data, options) =>
    fitProximal(model, data, {
      ...options,
      stages: options.stages.map((stage) => ({ ...stage, loss: "squared" as const })),
    })) as typeof fitProximal,
};

const little: ImagesEffort = {
  side: 4,
  hidden: [8, 8],
  batchSize: 16,
  matching: [{ loss: "absolute", steps: 20, learningRate: 3e-2 }],
  absolute: [{ loss: "absolute", steps: 2, learningRate: 3e-2 }],
  squared: [{ loss: "squared", steps: 2, learningRate: 1e-2 }],
  images: 16,
  measurements: [6],
  iterations: 5,
  rhos: [0.3],
};

const short: LaplacianEffort = {
  hidden: [8, 8],
  batchSize: 64,
  squared: [{ loss: "squared", steps: 60, learningRate: 2e-2 }],
  absolute: [{ loss: "absolute", steps: 60, learningRate: 2e-2 }],
  matching: [{ loss: "matching", steps: 60, learningRate: 1e-2, gamma: 0.5 }],
};

describe("claims fail for what is not the method", () => {
  it("exact-prox: fails for a map that is no gradient", async () => {
    expect(await holds(exactProx(bent))).toBe(false);
  });

  it("gaussian: fails for a network that has hardly been trained", async () => {
    expect(await holds(gaussian(method, 5))).toBe(false);
  });

  it("laplacian: fails without proximal matching", async () => {
    expect(await holds(laplacian(unmatched, short))).toBe(false);
  });

  it("compressed-sensing: fails for a network that has hardly been trained, and is judged on every figure", async () => {
    expect(await holds(compressedSensing(method, little))).toBe(false);
    const good: Scores = { task: "denoising", matching: 29, absolute: 30, residual: 24, plain: 20 };
    const last: Scores = { task: "sensing", matching: 28, absolute: 29, residual: 20, plain: 13, l1: 20 };
    expect(judge([good, last])).toBe(true);
    expect(judge([{ ...good, residual: 27.6 }, last])).toBe(false);
    expect(judge([{ ...good, plain: 27.6 }, last])).toBe(false);
    expect(judge([good, { ...last, l1: 27.1 }])).toBe(false);
    expect(judge([good])).toBe(false);
  });

  it("convergence: fails where the objective rises, or ADMM is not done; steps beyond 2 / L are refused", async () => {
    const rising: Method = {
      ...method,
      async pnpGradientDescent(...given) {
        const result = await method.pnpGradientDescent(...given);
        return { ...result, history: [...result.history].reverse() };
      },
    };
    const hasty: Method = {
      ...method,
      pnpAdmm: (prox, measurement, y, options) =>
        method.pnpAdmm(prox, measurement, y, { ...options, maxIterations: 2 }),
    };
    for (const broken of [rising, hasty]) expect(await holds(convergence(broken, little))).toBe(false);
    await expect(holds(convergence(method, little, 3))).rejects.toThrow(/below 2 \/ L/);
  });

  it("learnt-prior: fails for the prior that is |x|^2 / 2", async () => {
    const parabola: Method = {
      ...method,
      regularizer: async (_: Lpn, __: LpnParams, x) => ({
        value: mul(x as Tensor, x as Tensor)
          .sum([1, 2])
          .div(2),
        preimage: x as Tensor,
        residual: mul(x as Tensor, 0).sum([1, 2]),
        status: "converged",
        iterations: 0,
      }),
    };
    expect(await holds(learntPrior(parabola, little))).toBe(false);
  });
});
