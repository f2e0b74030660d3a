import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { describe, expect, it } from "vitest";
import { betterSampler } from "../claims/better-sampler.js";
import { editing } from "../claims/editing.js";
import { bdiaEdm } from "../claims/edm.js";
import { errorConstant } from "../claims/error-constant.js";
import { exactInversion } from "../claims/exact-inversion.js";
import { claims } from "../claims/index.js";
import { bdia, ddim, type Method } from "../claims/method.js";

const holds = async (claim: Claim) => (await runClaim(claims, claim)).holds;
/** The method with gamma of one's own. */
const withGamma = (change: (gamma: number) => number): Method => ({
  sample: (d, z, options = {}) => bdia.sample(d, z, { ...options, gamma: change(options.gamma ?? 1) }),
  invert: (d, z, options = {}) => bdia.invert(d, z, { ...options, gamma: change(options.gamma ?? 1) }),
});

describe("claims fail for what is not the method", () => {
  it("exact-inversion: holds, fails for DDIM", async () => {
    expect(await holds(exactInversion())).toBe(true);
    expect(await holds(exactInversion(ddim))).toBe(false);
  });

  it("error-constant: fails where gamma and 1 - gamma are exchanged", async () => {
    expect(await holds(errorConstant(withGamma((gamma) => 1 - gamma)))).toBe(false);
  });

  it("better-sampler: fails for DDIM", async () => {
    expect(await holds(betterSampler(ddim))).toBe(false);
  });

  it("editing: holds, fails for DDIM", async () => {
    expect(await holds(editing())).toBe(true);
    expect(await holds(editing(ddim))).toBe(false);
  });

  it("bdia-edm: fails for EDM's own sampler", async () => {
    expect(await holds(bdiaEdm(withGamma(() => 0)))).toBe(false);
  });
});
