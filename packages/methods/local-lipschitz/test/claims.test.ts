import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { describe, expect, it } from "vitest";
import { branching, exactness, ordering, slopeOptimisation } from "../claims/bounds.js";
import { claims } from "../claims/index.js";
import { type Method, published } from "../claims/method.js";
import { knownBounds } from "../claims/sine-networks.js";
import { monotoneFeatures, trainedNetwork } from "../claims/trained.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;

/** Branch and bound with other options than the claim asks for. */
const changed = (more: object): Method => ({
  ...published,
  localLipschitz: (network, box, options) => published.localLipschitz(network, box, { ...options, ...more }),
});

describe("claims fail for baselines and broken variants", () => {
  it("exactness: fails where empty branches are not looked for", async () => {
    expect(await holds(exactness(changed({ leafFeasibility: false, maxDomains: 100 }), knownBounds.slice(2, 3)))).toBe(
      false,
    );
  });

  it("ordering: fails for RecurJac in the place of the method, and without branching", async () => {
    const quick = { maxDomains: 0 };
    expect(await holds(ordering(changed({ ...quick, relaxation: "recurjac" })))).toBe(false);
    const always: Method["localLipschitz"] = async (network, box, options = {}) => {
      const run = await published.localLipschitz(network, box, { ...options, ...quick });
      return { ...run, value: 0.5 * run.value };
    };
    expect(await holds(ordering({ ...published, localLipschitz: always }))).toBe(false);
  });

  it("branching: fails for splits by chance", async () => {
    const swapped: Method["localLipschitz"] = (network, box, options = {}) =>
      published.localLipschitz(network, box, {
        ...options,
        heuristic: options.heuristic === "area" ? "random" : "area",
        maxDomains: 400,
      });
    expect(await holds(branching({ ...published, localLipschitz: swapped }))).toBe(false);
  });

  it("slope optimisation: fails without it", async () => {
    expect(await holds(slopeOptimisation(changed({ optimizeSlopes: false })))).toBe(false);
  });

  it("trained network: fails for the bound of one box everywhere", async () => {
    const fixed: Method["localLipschitz"] = (network, _, options) =>
      published.localLipschitz(network, { lower: [0.4, 0.2], upper: [0.6, 0.3] }, { ...options, maxDomains: 0 });
    expect(await holds(trainedNetwork({ ...published, localLipschitz: fixed }))).toBe(false);
  });

  it("monotone features: fails where signs are taken from one gradient", async () => {
    const guessed: Method["monotonicity"] = (network, x0, { box: _, ...options } = {}) =>
      published.monotonicity(network, x0, { ...options, range: [0.5, 0.5] }).then((found) => ({
        ...found,
        features: found.features.map((each) => ({
          ...each,
          verdict: each.feature === 1 ? "decreasing" : each.verdict,
        })),
      }));
    expect(await holds(monotoneFeatures({ ...published, monotonicity: guessed }))).toBe(false);
  });
});

it("the package declares the claims of the sheet", () => {
  expect(claims.claims.map(({ id }) => id)).toEqual([
    "exactness",
    "ordering",
    "branching",
    "slope-optimisation",
    "trained-network",
    "monotone-features",
  ]);
});
