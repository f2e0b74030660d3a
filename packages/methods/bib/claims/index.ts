import { defineClaims } from "@offprint/claims";
import { adaptiveBalance } from "./adaptive-balance.js";
import { betterMapping } from "./better-mapping.js";
import { closedForm } from "./closed-form.js";
import { doubleDescent, preTraining, smallData } from "./language-model.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "bib",
  claims: [closedForm(), adaptiveBalance(), preTraining(), smallData(), betterMapping(), doubleDescent()],
});
