import { defineClaims } from "@offprint/claims";
import { conditioning } from "./conditioning.js";
import { illConditioned } from "./ill-conditioned.js";
import { imitation } from "./imitation.js";
import { majorizer } from "./majorizer.js";
import { matrixFactorisation } from "./matrix-factorisation.js";
import { realData } from "./real-data.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "target-surrogates",
  claims: [majorizer(), conditioning(), realData(), illConditioned(), matrixFactorisation(), imitation()],
});
