import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { random, sub, type Tensor, tree } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { changingNorms } from "../claims/changing-norms.js";
import { exactShapes, numericalRefinement, optimality } from "../claims/exact-shapes.js";
import { claims } from "../claims/index.js";
import { inequalities } from "../claims/inequalities.js";
import { linearDecay } from "../claims/linear-decay.js";
import { type Method, published } from "../claims/method.js";
import { pieceAt, randomPiecewiseLinear } from "../claims/piecewise-linear.js";
import { vanishingGradients } from "../claims/vanishing-gradients.js";
import { warmUpAppears } from "../claims/warm-up.js";
import { refineSchedule, schedules } from "../src/index.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;

/** Refinement that answers with some multipliers of its own, whatever the norms. */
const fixed = (of: (T: number) => Float64Array): Method => ({
  ...published,
  refineSchedule: (norms, options) => ({ ...refineSchedule(norms, options), multipliers: of(norms.length) }),
});
const withPower = (power: number): Method => ({
  ...published,
  refineSchedule: (norms, options) => refineSchedule(norms, { ...options, power }),
});

/** Enough problems to tell a bound that is none. */
const few = { quick: 200, full: 200 };

describe("claims fail for what is not the method", () => {
  it("exact shapes: fail for linear decay and for weights 1/G", async () => {
    expect(await holds(exactShapes(fixed(schedules.linear)))).toBe(false);
    expect(await holds(exactShapes(withPower(1)))).toBe(false);
  });

  it("optimal weights: fail for equal weights and for weights 1/G", async () => {
    for (const power of [0, 1]) {
      const optimalWeights: Method["optimalWeights"] = (norms, distance) => {
        const shape = Float64Array.from(norms, (g) => g ** -power);
        const squares = shape.reduce((sum, w, t) => sum + (w * norms[t]) ** 2, 0);
        return {
          ...published.optimalWeights(norms, distance),
          weights: shape.map((w) => (distance * w) / Math.sqrt(squares)),
        };
      };
      expect(await holds(optimality({ ...published, optimalWeights }))).toBe(false);
    }
  });

  it("guarantees: fail for bounds without their last term, and for half the bound of weights", async () => {
    const averageOnly: Method["lastIterateBound"] = (eta, norms, distance) => {
      const squares = Array.from(eta, (step, t) => (step * norms[t]) ** 2).reduce((a, b) => a + b);
      const value = (distance ** 2 + squares) / (2 * Array.from(eta).reduce((a, b) => a + b));
      return { value, gradient: new Float64Array(eta.length) };
    };
    expect(await holds(inequalities({ ...published, lastIterateBound: averageOnly }, few))).toBe(false);
    const half: Method["weightedBound"] = (...args) => 0.5 * published.weightedBound(...args);
    expect(await holds(inequalities({ ...published, weightedBound: half }, few))).toBe(false);
    // The learner's moves as they are, in place of those that the conversion makes smaller.
    const whole: Method["lastIterate"] = (learner, weights) => {
      const converted = published.lastIterate(learner, weights);
      return {
        init: converted.init,
        update(gradients, before, params) {
          const { state } = converted.update(gradients, before, params);
          const updates = tree.map(
            (z: Tensor, x: Tensor) => sub(z, x),
            state.learnerIterate as never,
            params as never,
          ) as typeof params;
          return { updates, state };
        },
      };
    };
    expect(await holds(inequalities({ ...published, lastIterate: whole }, few))).toBe(false);
  });

  it("numerical refinement: fails where the minimisation ends early", async () => {
    const early: Method["optimizeSchedule"] = (g, d) => published.optimizeSchedule(g, d, { maxIterations: 3 });
    expect(await holds(numericalRefinement({ ...published, optimizeSchedule: early }))).toBe(false);
  });

  it("linear decay: fails for a constant rate in its place", async () => {
    expect(await holds(linearDecay(published, schedules.flat, { quick: 4, full: 4 }))).toBe(false);
  });

  it("refinement where norms change: fails for linear decay and for weights 1/sqrt G in its place", async () => {
    expect(await holds(changingNorms(fixed(schedules.linear)))).toBe(false);
    expect(await holds(changingNorms(withPower(0.5)))).toBe(false);
  });

  it("warm-up: fails for linear decay in its place", async () => {
    expect(await holds(warmUpAppears(fixed(schedules.linear), { quick: 1, full: 1 }))).toBe(false);
  });

  it("vanishing gradients: fails for linear decay in the place of refinement", async () => {
    expect(await holds(vanishingGradients(fixed(schedules.linear), { quick: 1, full: 1 }))).toBe(false);
  });
});

it("the problems of the guarantees have the minimum that a fine grid finds", () => {
  const rng = random.rng(3);
  let seen = 0;
  while (seen < 10) {
    const problem = randomPiecewiseLinear(rng);
    if (problem.minimizer.length !== 1) continue;
    seen += 1;
    const center = problem.minimizer[0];
    expect(pieceAt(problem, problem.minimizer).value).toBeCloseTo(problem.minimum, 9);
    for (let i = -200; i <= 200; i++) {
      const { value } = pieceAt(problem, Float64Array.of(center + (i / 50) * Math.abs(i / 50)));
      expect(value).toBeGreaterThan(problem.minimum - 1e-9);
    }
  }
});

it("the package declares the claims of the sheet", () => {
  expect(claims.claims.map(({ id }) => id)).toEqual([
    "exact-shapes",
    "optimal-weights",
    "guarantees-hold",
    "numerical-refinement",
    "linear-decay",
    "refinement-where-norms-change",
    "warm-up-appears",
    "iris",
    "limit-vanishing-gradients",
  ]);
});
