import { defineClaims } from "@offprint/claims";
import { implicitBias } from "./implicit-bias.js";
import { localOptima, severalTokens } from "./local-optima.js";
import { pathConverges, separability } from "./path-and-feasibility.js";
import { lowRank, svmValues } from "./svm-values.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "svm-transformers",
  claims: [svmValues(), implicitBias(), pathConverges(), separability(), localOptima(), severalTokens(), lowRank()],
});
