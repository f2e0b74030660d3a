import { defineClaims } from "@offprint/claims";
import { securityAudit } from "./audit.js";
import { closedForm, reparametrisation } from "./closed-form.js";
import { constantMemory, learntModel, optimised } from "./ring.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "adjoint-dpm",
  claims: [securityAudit(), closedForm(), reparametrisation(), learntModel(), constantMemory(), optimised()],
});
