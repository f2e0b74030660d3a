import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { describe, expect, it } from "vitest";
import { capacity } from "../claims/capacity.js";
import { exactRecovery } from "../claims/exact-recovery.js";
import { implicitGradient } from "../claims/implicit-gradient.js";
import { claims } from "../claims/index.js";
import { type Method, published } from "../claims/method.js";
import { scaling } from "../claims/scaling.js";
import { smallBudget } from "../claims/small-budget.js";
import { sorption } from "../claims/sorption.js";
import type { Solving } from "../src/index.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;

/** The layer and the solves with other options than the claim asks for. */
const withOptions = (other: object): Method => ({
  hardConstraint: (basis, pde, problem, options) =>
    published.hardConstraint(basis, pde, problem, { ...options, ...other }),
  solveConstraint: (basis, pde, problem, options) =>
    published.solveConstraint(basis, pde, problem, { ...options, ...other }),
  solveOnCluster: (where, job, basis, pde, problem, options) =>
    published.solveOnCluster(where, job, basis, pde, problem, { ...options, ...other }),
  fitSolver: published.fitSolver,
  evaluateSolver: published.evaluateSolver,
});

describe("claims fail for baselines and broken variants", () => {
  it("exact recovery: for a single iteration", async () => {
    expect(await holds(exactRecovery(withOptions({ maxIterations: 1 })))).toBe(false);
  });

  it("implicit gradient: for that of Gauss and Newton", async () => {
    expect(await holds(implicitGradient(withOptions({ hessian: "gaussNewton" })))).toBe(false);
  });

  it("untrained capacity, expert work: for one expert, however many are asked for", async () => {
    const alone = withOptions({ experts: [1, 1] });
    expect(await holds(capacity(alone))).toBe(false);
    expect(await holds(scaling(alone, 16))).toBe(false);
  });

  it("diffusion-sorption: for weights that are not solved for", async () => {
    expect(await holds(sorption(withOptions({ maxIterations: 0 })))).toBe(false);
  });

  it("small budget: for one constraint in the place of experts", async () => {
    const alone = (solving?: Solving): Solving => (solving === "soft" ? solving : { ...solving, experts: [1, 1] });
    const one: Method = {
      ...published,
      fitSolver: (network, pde, problems, options) =>
        published.fitSolver(network, pde, problems, { ...options, solving: alone(options?.solving) }),
      evaluateSolver: (network, params, pde, problems, options) =>
        published.evaluateSolver(network, params, pde, problems, { ...options, solving: alone(options?.solving) }),
    };
    expect(await holds(smallBudget(one, { points: 16, maxIterations: 3, steps: [2] }))).toBe(false);
  });
});

it("the package declares the claims of the sheet", () => {
  expect(claims.claims.map(({ id }) => id)).toEqual([
    ...[
      "exact-recovery",
      "implicit-gradient",
      "small-budget",
      "untrained-capacity",
      "expert-work",
      "diffusion-sorption",
    ],
  ]);
});
