import { defineClaims } from "@offprint/claims";
import { calibration } from "./calibration.js";
import { classification } from "./classification.js";
import { exactPosterior } from "./exact-posterior.js";
import { heavyTailedNoise } from "./heavy-tailed-noise.js";
import { priorLaw } from "./prior-law.js";
import { trainedNetworks } from "./trained-networks.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "scale-mixture-nngp",
  claims: [priorLaw(), exactPosterior(), calibration(), heavyTailedNoise(), trainedNetworks(), classification()],
});
