import { defineClaims } from "@offprint/claims";
import { nearLinearCost } from "./cost.js";
import { norm, solver } from "./exact.js";
import { estimator, headline, initialTerm } from "./refinements.js";
import { convex, solverStep, timeAliasing } from "./variants.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "spectral-refiner",
  claims: [
    headline(),
    estimator(),
    initialTerm(),
    timeAliasing(),
    convex(),
    solverStep(),
    nearLinearCost(),
    norm(),
    solver(),
  ],
});
