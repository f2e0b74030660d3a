import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { describe, expect, it } from "vitest";
import { adversarialTraining, type RobustTrainer } from "../claims/adversarial-training.js";
import { exactOptimum } from "../claims/exact-optimum.js";
import { globalAgainstLocal } from "../claims/global-against-local.js";
import { claims } from "../claims/index.js";
import { iterationCost } from "../claims/iteration-cost.js";
import type { Trainer } from "../claims/problems.js";
import { sampledPatterns } from "../claims/sampled-patterns.js";
import { sampledProgram } from "../claims/sampled-program.js";
import { trainBackprop, trainConvex, trainRobust } from "../src/index.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;

/** ADMM that is stopped early. */
const impatient =
  (maxIterations: number): Trainer =>
  (x, y, options) =>
    trainConvex(x, y, { ...options, maxIterations });

/** A certificate that is too high. */
const boastful: Trainer = async (x, y, options) => {
  const result = await trainConvex(x, y, { ...options, maxIterations: 300 });
  return { ...result, dualBound: { value: 1.5 * result.networkObjective, scope: "network" } };
};

describe("claims fail for baselines and broken variants", () => {
  it("exact optimum", async () => {
    expect(await holds(exactOptimum(impatient(100)))).toBe(false);
    expect(await holds(exactOptimum(boastful))).toBe(false);
  });

  it("global against local", async () => {
    expect(await holds(globalAgainstLocal(boastful, 1, 1000))).toBe(false);
  });

  it("sampled patterns", async () => {
    // Twenty iterations leave an error that depends on the patterns.
    expect(await holds(sampledPatterns(impatient(20)))).toBe(false);
  });

  it("sampled programme", async () => {
    expect(await holds(sampledProgram(impatient(40)))).toBe(false);
  });

  it("quadratic iterations", async () => {
    const clock = (power: number) => async (sizes: readonly number[]) => sizes.map((n) => 1e-6 * n ** power);
    const short: Trainer = (x, y, options) =>
      trainConvex(x, y, { ...options, maxIterations: Math.min(options.maxIterations ?? 0, 60) });
    expect(await holds(iterationCost(short, clock(3)))).toBe(false);
    const stiff: Trainer = (x, y, options) =>
      short(x, y, { ...options, rho: options.maxIterations === 20 ? 100 : 0.2 });
    expect(await holds(iterationCost(stiff, clock(2)))).toBe(false);
  });

  it("convex adversarial training", async () => {
    const clean: RobustTrainer = (x, y, options) => trainRobust(x, y, { ...options, eps: 0, maxIterations: 300 });
    expect(await holds(adversarialTraining(clean, 1))).toBe(false);
    const attacked: RobustTrainer = async (x, y, options) => {
      const { loss, beta, eps } = options;
      const { net } = await trainBackprop(x, y, {
        loss,
        beta,
        width: 20,
        steps: 200,
        learningRate: 0.02,
        adversary: { kind: "pgd", eps },
      });
      return { ...(await trainRobust(x, y, { ...options, maxIterations: 1 })), net };
    };
    expect(await holds(adversarialTraining(attacked, 1))).toBe(false);
  });

  it("are all declared", () => {
    expect(claims.claims.map(({ id }) => id)).toEqual([
      "exact-optimum",
      "global-against-local",
      "sampled-patterns",
      "sampled-program",
      "quadratic-iterations",
      "convex-adversarial-training",
    ]);
  });
});
