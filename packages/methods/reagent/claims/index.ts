import { defineClaims } from "@offprint/claims";
import { closedForm } from "./closed-form.js";
import { headlineComparison, matchedMass } from "./faithfulness.js";
import { findsTheCause, plausibleReplacement, stopsByItself } from "./finds-the-cause.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "reagent",
  claims: [closedForm(), findsTheCause(), plausibleReplacement(), headlineComparison(), matchedMass(), stopsByItself()],
});
