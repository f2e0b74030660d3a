import { defineClaims } from "@offprint/claims";
import { honestFailure, orthogonality } from "./ablations.js";
import { exactness } from "./exactness.js";
import { growth } from "./growth.js";
import { headline, unseen } from "./headline.js";
import { trainingVectors } from "./training-vectors.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "dcdm",
  claims: [exactness(), headline(), unseen(), growth(), orthogonality(), trainingVectors(), honestFailure()],
});
