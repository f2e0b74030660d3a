import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { describe, expect, it } from "vitest";
import { distanceToOptimum } from "../claims/distance-to-optimum.js";
import { l1Images, squaredImages } from "../claims/images.js";
import { claims } from "../claims/index.js";
import { iterationsByEta } from "../claims/iterations-by-eta.js";
import { type Method, published } from "../claims/method.js";
import { oneDimensional } from "../claims/one-dimensional.js";
import { randomAssignmentIterations } from "../claims/random-assignment.js";
import { sparsity } from "../claims/sparsity.js";
import { sinkhorn } from "../src/index.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;

/** The baseline, with as many iterations as the method may take. */
const baseline: Method = async (problem, { eta, sinkhornIterations = 20, newtonIterations = 50 }) => {
  const maxIterations = (sinkhornIterations as number) + newtonIterations;
  const { state: _, ...result } = await sinkhorn(problem, {
    eta,
    maxIterations,
    tolerance: 1e-13,
    domain: "stabilised",
  });
  return result;
};
/** Two entries per row, as one reading of the paper has it, without safeguards: only linear convergence. */
const twoPerRow: Method = (problem, options) =>
  published(problem, { ...options, keepPerRow: 2, linearSolver: "cg", strict: true });
/** Stronger regularisation than asked for. */
const tooStrong: Method = (problem, options) => published(problem, { ...options, eta: options.eta / 20 });

describe("claims fail for baselines and broken variants", () => {
  it("random assignment", async () => {
    expect(await holds(randomAssignmentIterations(baseline, 1))).toBe(false);
    expect(await holds(randomAssignmentIterations(twoPerRow, 1))).toBe(false);
  });

  it("iterations by eta", async () => {
    expect(await holds(iterationsByEta(baseline, 1))).toBe(false);
  });

  it("images, squared distance", async () => {
    expect(await holds(squaredImages(baseline, 1))).toBe(false);
  });

  it("images, L1 distance", async () => {
    expect(await holds(l1Images(baseline, 1))).toBe(false);
  });

  it("densities on the line", async () => {
    expect(await holds(oneDimensional(baseline))).toBe(false);
    // A plan of another regularisation meets its marginals, but costs too much.
    expect(await holds(oneDimensional((problem, options) => published(problem, { ...options, eta: 4 })))).toBe(false);
  });

  it("approximate sparsity", async () => {
    expect(await holds(sparsity(tooStrong))).toBe(false);
  });

  it("distance to the optimal plan", async () => {
    expect(await holds(distanceToOptimum(baseline))).toBe(false);
    expect(await holds(distanceToOptimum(tooStrong))).toBe(false);
  });

  it("are all declared", () => {
    expect(claims.claims).toHaveLength(7);
  });
});
