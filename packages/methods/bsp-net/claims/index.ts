import { type Claim, defineClaims } from "@offprint/claims";
import { bspNet } from "../src/index.js";

/** The method that a claim is about; tests put a baseline or a broken variant in its place. */
export type Method = typeof bspNet;

/** The paper's main claim. */
export function mainClaim(method: Method = bspNet): Claim {
  return {
    id: "main-claim",
    statement: "The paper's main claim in one sentence",
    source: "Abstract",
    paper: "the paper's value",
    // Measure, compute `holds` from what was measured, and plot it: see ClaimResult.
    run: () => method(),
  };
}

/** The paper's claims. */
export const claims = defineClaims({ method: "bsp-net", claims: [mainClaim()] });
