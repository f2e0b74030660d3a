import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { describe, expect, it } from "vitest";
import { nearLinearCost } from "../claims/cost.js";
import { norm, solver } from "../claims/exact.js";
import type { Effort } from "../claims/experiment.js";
import { claims } from "../claims/index.js";
import { type Method, spectralRefiner } from "../claims/method.js";
import { estimator, headline, judgeHeadline, judgeInitial } from "../claims/refinements.js";
import { convex, solverStep, timeAliasing } from "../claims/variants.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;
const effort: Effort = { points: 16, flows: 4, tests: 1, epochs: 1 };
const idle: Method = {
  ...spectralRefiner,
  refine: (system, start, options) => spectralRefiner.refine(system, start, { ...options, maxIterations: 1 }),
};

describe("claims fail for what is not the method", () => {
  it("solver: fails for steps of the wrong order, and holds", async () => {
    const swapped: Method = {
      ...spectralRefiner,
      schemes: { ...spectralRefiner.schemes, imex2: spectralRefiner.schemes.imex1 },
    };
    expect(await holds(solver(swapped))).toBe(false);
    expect(await holds(solver())).toBe(true);
  });

  it("negative-norm: fails for the published weights, whose power is half of what it says", async () => {
    const published: Method = {
      ...spectralRefiner,
      sobolevNorm: (grid, x, { order = 0, shift } = {}) =>
        spectralRefiner.sobolevNorm(grid, x, { order: order / 2, shift }),
    };
    expect(await holds(norm(published))).toBe(false);
    expect(await holds(norm())).toBe(true);
  });

  it("estimator: fails where the derivative in time is that of a solver's step", async () => {
    const blind: Method = {
      ...spectralRefiner,
      estimateForecast: (system, forecast, options) => ({
        ...spectralRefiner.estimateForecast(system, forecast, options),
        eta: 5e-10,
      }),
    };
    expect(await holds(estimator(blind, effort))).toBe(false);
  });

  it("refinement, convex: fail where nothing is refined", async () => {
    expect(await holds(headline(idle, effort))).toBe(false);
    expect(await holds(convex(idle))).toBe(false);
  });

  it("near-linear-cost: fails where an iteration costs as much as a matrix of all points", async () => {
    const dense = [1, 16, 256];
    expect(await holds(nearLinearCost(idle, async () => dense.shift() as number))).toBe(false);
  });

  it("time-aliasing: fails where the frequencies are always as many as the frames determine", async () => {
    const careful: Method = {
      ...idle,
      refine: (system, start, options) => idle.refine(system, start, { ...options, modes: [8, 8, 6] }),
    };
    expect(await holds(timeAliasing(careful))).toBe(false);
  });

  it("solver-step: fails for the exact derivative", async () => {
    const exact: Method = {
      ...spectralRefiner,
      estimate: (system, frames, { spacing }) => spectralRefiner.estimate(system, frames, { spacing }),
    };
    expect(await holds(solverStep(exact))).toBe(false);
  });

  it("refinement and initial-error are judged on error and estimate of every flow", () => {
    const good = { before: 0.03, after: 0.002, etaBefore: 0.01, eta: 4e-4 };
    expect(judgeHeadline([good])).toBe(true);
    expect(judgeHeadline([good, { ...good, after: 0.006 }])).toBe(false);
    expect(judgeHeadline([{ ...good, eta: 2e-3 }])).toBe(false);
    const free = { ...good, after: 0.03, eta: 1e-6 };
    expect(judgeInitial([good], [free])).toBe(true);
    expect(judgeInitial([good], [{ ...free, after: 0.004 }])).toBe(false);
    expect(judgeInitial([good], [{ ...free, eta: 5e-4 }])).toBe(false);
  });
});
