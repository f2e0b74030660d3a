import { defineClaims } from "@offprint/claims";
import { compressedSensing } from "./compressed-sensing.js";
import { convergence } from "./convergence.js";
import { exactProx } from "./exact-prox.js";
import { gaussian } from "./gaussian.js";
import { laplacian } from "./laplacian.js";
import { learntPrior } from "./prior.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "lpn",
  claims: [exactProx(), gaussian(), laplacian(), compressedSensing(), convergence(), learntPrior()],
});
