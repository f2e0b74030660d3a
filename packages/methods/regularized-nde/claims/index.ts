import { defineClaims } from "@offprint/claims";
import { discreteAdjoint } from "./discrete-adjoint.js";
import { exact } from "./exact.js";
import { headlineOde } from "./headline-ode.js";
import { headlineSde } from "./headline-sde.js";
import { latentSeries } from "./latent-ode.js";
import { tradeOff } from "./trade-off.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "regularized-nde",
  claims: [exact(), discreteAdjoint(), headlineOde(), tradeOff(), headlineSde(), latentSeries()],
});
