import { defineClaims } from "@offprint/claims";
import { classification } from "./classification.js";
import { convolutionalBody } from "./convolutional-body.js";
import { oneNetwork } from "./exactness.js";
import { newtonStep } from "./newton-step.js";
import { regression, unstable } from "./regression.js";
import { switchingOff } from "./switching-off.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "gbnn",
  claims: [newtonStep(), oneNetwork(), regression(), unstable(), classification(), switchingOff(), convolutionalBody()],
});
