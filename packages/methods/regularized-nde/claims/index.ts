import { defineClaims } from "@offprint/claims";
import { exact } from "./exact.js";
import { headlineOde } from "./headline-ode.js";
import { headlineSde } from "./headline-sde.js";

/** The paper's claims. */
export const claims = defineClaims({ method: "regularized-nde", claims: [exact(), headlineOde(), headlineSde()] });
