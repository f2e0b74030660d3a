import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { describe, expect, it } from "vitest";
import { elliptic } from "../claims/elliptic.js";
import { fewerIterations } from "../claims/fewer-iterations.js";
import { claims } from "../claims/index.js";
import { knownOptima } from "../claims/known-optima.js";
import { localRate } from "../claims/local-rate.js";
import { logistic } from "../claims/logistic.js";
import { type Method, published } from "../claims/method.js";
import { l1Sqp } from "../src/index.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;

/** Directions that are hardly computed. */
const lazy: Method = (problem, initial, options) =>
  published(problem, initial, { ...options, maxInnerSteps: 20, maxIterations: 4 });
/** The baseline, with as many iterations. */
const baseline: Method = (problem, initial, { tolerance, maxIterations, multipliers }) =>
  l1Sqp(problem, initial, { tolerance, maxIterations, multipliers });

describe("claims fail for baselines and broken variants", () => {
  it("known optima", async () => {
    expect(await holds(knownOptima(lazy))).toBe(false);
  });

  it("fewer iterations", async () => {
    expect(await holds(fewerIterations(baseline))).toBe(false);
  });

  it("local rate: where theta does not fall, where it does, and where exact directions are not", async () => {
    const decaying = (k: number) => 1 / (k + 1) ** 2;
    expect(await holds(localRate({ constant: () => 1, decaying: () => 1 }))).toBe(false);
    expect(await holds(localRate({ constant: decaying, decaying }))).toBe(false);
  });

  it("elliptic control: for the baseline, and for Gaussian vectors", async () => {
    expect(await holds(elliptic(baseline))).toBe(false);
    const few: Method = (problem, initial, options) => published(problem, initial, { ...options, maxIterations: 3 });
    expect(await holds(elliptic(few, { kind: "gaussian" }))).toBe(false);
  });

  it("constrained logistic regression", async () => {
    expect(await holds(logistic(baseline))).toBe(false);
  });

  it("are all declared", () => {
    expect(claims.claims).toHaveLength(5);
  });
});
