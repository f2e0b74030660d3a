import { type Claim, defineClaims } from "@offprint/claims";
import { convexRelu } from "../src/index.js";

/** The method that a claim is about; tests put a baseline or a broken variant in its place. */
export type Method = typeof convexRelu;

/** The paper's main claim. */
export function mainClaim(method: Method = convexRelu): Claim {
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

