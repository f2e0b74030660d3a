import { defineClaims } from "@offprint/claims";
import { almostLinearTime } from "./costs.js";
import { fineTuning } from "./fine-tuning.js";
import { exactChain, lowRankPath } from "./identities.js";
import { countedThreshold, normTransition } from "./transition.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "lora-limits",
  claims: [exactChain(), lowRankPath(), almostLinearTime(), normTransition(), countedThreshold(), fineTuning()],
});
