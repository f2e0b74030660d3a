import { defineClaims } from "@offprint/claims";
import { hessianFreeCost } from "./hessian-free-cost.js";
import { labelCleaning } from "./label-cleaning.js";
import { nonUnique } from "./non-unique.js";
import { closedForm, scaling } from "./rates.js";
import { valueFunction } from "./value-function.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "lv-hba",
  claims: [closedForm(), nonUnique(), valueFunction(), labelCleaning(), hessianFreeCost(), scaling()],
});
