import { defineClaims } from "@offprint/claims";
import { bandit } from "./bandit.js";
import { closedForms } from "./closed-forms.js";
import { contextualBandit } from "./context.js";
import { heatEquation } from "./heat.js";
import { rightHandSides } from "./right-hand-sides.js";
import { surrogateBound } from "./surrogate.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "learning-to-relax",
  claims: [closedForms(), surrogateBound(), bandit(), contextualBandit(), heatEquation(), rightHandSides()],
});
