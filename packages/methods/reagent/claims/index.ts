import { defineClaims } from "@offprint/claims";
import { closedForm } from "./closed-form.js";

/** The paper's claims. */
export const claims = defineClaims({ method: "reagent", claims: [closedForm()] });
