import { defineClaims } from "@offprint/claims";
import { capacity } from "./capacity.js";
import { exactRecovery } from "./exact-recovery.js";
import { implicitGradient } from "./implicit-gradient.js";
import { scaling } from "./scaling.js";
import { smallBudget } from "./small-budget.js";
import { sorption } from "./sorption.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "pi-hc-moe",
  claims: [exactRecovery(), implicitGradient(), smallBudget(), capacity(), scaling(), sorption()],
});
