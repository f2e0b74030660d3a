import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { describe, expect, it } from "vitest";
import { activeSetTime, identify } from "../claims/active-set-bound.js";
import { finiteTermination } from "../claims/finite-termination.js";
import { greedyRules, matrixSteps } from "../claims/greedy-rules.js";
import { claims } from "../claims/index.js";
import { messagePassing } from "../claims/message-passing.js";
import type { Method } from "../claims/method.js";
import { multiClass } from "../claims/multi-class.js";
import { bcd, forestSolve } from "../src/index.js";

const measure = (claim: Claim) => runClaim(claims, claim);

/** With every rule replaced by another. */
const ruled =
  (rule: "random" | "gs"): Method =>
  (problem, options) =>
    bcd(problem, { ...options, ...(typeof options.rule === "string" && options.rule.startsWith("gs") && { rule }) });
const gradientSteps: Method = (problem, options) =>
  bcd(problem, { ...options, update: problem.composite ? "pg" : "gradient" });

describe("claims fail for baselines and broken variants", () => {
  it("greedy rules: not with random blocks, and not without curvature", async () => {
    expect((await measure(greedyRules(ruled("random"), 1))).holds).toBe(false);
    expect((await measure(greedyRules(ruled("gs"), 1))).holds).toBe(false);
  });

  it("matrix steps: not with gradient steps", async () => {
    expect((await measure(matrixSteps(gradientSteps, 1))).holds).toBe(false);
  });

  it("message passing: not with a forest in random order, nor with an error of 1e-9", async () => {
    const randomTrees: Method = (problem, options) =>
      bcd(problem, { ...options, ...(options.blocks === "greedy-tree" && { blocks: "random-tree" }) });
    expect((await measure(messagePassing(randomTrees, forestSolve, 1))).holds).toBe(false);
    const inexact: typeof forestSolve = (A, rhs, block) => forestSolve(A, rhs, block).map((v) => v * (1 + 1e-9));
    expect((await measure(messagePassing(bcd, inexact, 1))).holds).toBe(false);
  });

  it("finite termination: not with proximal gradient steps, nor with random blocks", async () => {
    expect((await measure(finiteTermination(gradientSteps, 1))).holds).toBe(false);
    const inexact: Method = (problem, options) =>
      bcd(problem, options.update === "pn" ? { ...options, rule: "random" } : options);
    expect((await measure(finiteTermination(inexact, 1))).holds).toBe(false);
  });

  it("active-set bound: not for a method that is slower by the condition number", async () => {
    const slow = activeSetTime((problem, options, indices) => 8 * identify(problem, options, indices));
    expect((await measure(slow)).holds).toBe(false);
    expect((await measure(activeSetTime(() => 0))).holds).toBe(false);
  });

  it("multi-class: not with random blocks, and not with matrix steps", async () => {
    expect((await measure(multiClass(ruled("random"), 1))).holds).toBe(false);
    expect(
      (await measure(multiClass((problem, options) => bcd(problem, { ...options, update: "matrix" }), 1))).holds,
    ).toBe(false);
  });
});
