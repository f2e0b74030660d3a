import { defineClaims } from "@offprint/claims";
import { epochRate } from "./epoch-rate.js";
import { exactHypergradient } from "./exact-hypergradient.js";
import { periodicUpdates } from "./periodic-updates.js";
import { recurrentNetwork } from "./recurrent-network.js";
import { fixedTravel, unboundedSmoothness } from "./unbounded-smoothness.js";
import { wrongLabels } from "./wrong-labels.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "bo-rep",
  claims: [
    exactHypergradient(),
    unboundedSmoothness(),
    fixedTravel(),
    epochRate(),
    periodicUpdates(),
    recurrentNetwork(),
    wrongLabels(),
  ],
});
