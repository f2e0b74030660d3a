import { defineClaims } from "@offprint/claims";
import { elliptic } from "./elliptic.js";
import { fewerIterations } from "./fewer-iterations.js";
import { knownOptima } from "./known-optima.js";
import { localRate } from "./local-rate.js";
import { logistic } from "./logistic.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "adasketch-newton",
  claims: [knownOptima(), fewerIterations(), localRate(), elliptic(), logistic()],
});
