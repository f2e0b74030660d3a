import { defineClaims } from "@offprint/claims";
import { branching, exactness, ordering, slopeOptimisation } from "./bounds.js";
import { monotoneFeatures, trainedNetwork } from "./trained.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "local-lipschitz",
  claims: [exactness(), ordering(), branching(), slopeOptimisation(), trainedNetwork(), monotoneFeatures()],
});
