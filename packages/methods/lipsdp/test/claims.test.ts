import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { describe, expect, it } from "vitest";
import { beyondFeedForward } from "../claims/beyond-feed-forward.js";
import { claims } from "../claims/index.js";
import { infinityNorm } from "../claims/infinity-norm.js";
import { type Bounder, published } from "../claims/method.js";
import { moons } from "../claims/moons.js";
import { oneLayer } from "../claims/one-layer.js";
import { ordering } from "../claims/ordering.js";
import { otherActivations } from "../claims/other-activations.js";
import { sandwich } from "../claims/sandwich.js";
import { productBound } from "../src/index.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;

/** The baseline. */
const product: Bounder = (network, { norm }) => productBound(network, norm);
/** A bound that is too small, as a first-order solver's own objective can be. */
const tooSmall: Bounder = async (network, options) => 0.99 * (await published(network, options));
/** The paper's constraint without what the activation preserves: P, and elimination, are not used. */
const withoutPreserved: Bounder = (network, options) => published(network, { ...options, multipliers: "diag" });

// That the claims hold is checked where claims are run.
describe("claims fail for baselines and broken variants", () => {
  it("one layer", async () => {
    expect(await holds(oneLayer(tooSmall))).toBe(false);
    expect(await holds(oneLayer(() => Math.SQRT2))).toBe(false);
  });

  it("ordering of bounds", async () => {
    expect(await holds(ordering(product, 1))).toBe(false);
    expect(await holds(ordering(tooSmall, 1))).toBe(false);
  });

  it("sandwich", async () => {
    expect(await holds(sandwich(product, 1))).toBe(false);
    expect(await holds(sandwich(tooSmall, 1))).toBe(false);
    expect(await holds(sandwich(withoutPreserved, 2))).toBe(false);
  });

  it("infinity norm", async () => {
    expect(await holds(infinityNorm(product))).toBe(false);
    expect(await holds(infinityNorm(tooSmall))).toBe(false);
  });

  it("residual and implicit networks", async () => {
    expect(await holds(beyondFeedForward(product))).toBe(false);
    expect(await holds(beyondFeedForward(withoutPreserved))).toBe(false);
  });

  it("other activations", async () => {
    expect(await holds(otherActivations(product, 1))).toBe(false);
    expect(await holds(otherActivations(tooSmall, 1))).toBe(false);
  });

  it("certified radius", async () => {
    expect(await holds(moons(product))).toBe(false);
    expect(await holds(moons((network, { norm }) => 0.3 * productBound(network, norm)))).toBe(false);
  });

  it("are all declared", () => {
    expect(claims.claims).toHaveLength(7);
  });
});
