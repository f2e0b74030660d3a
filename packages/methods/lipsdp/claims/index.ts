import { defineClaims } from "@offprint/claims";
import { beyondFeedForward } from "./beyond-feed-forward.js";
import { infinityNorm } from "./infinity-norm.js";
import { moons } from "./moons.js";
import { oneLayer } from "./one-layer.js";
import { ordering } from "./ordering.js";
import { otherActivations } from "./other-activations.js";
import { sandwich } from "./sandwich.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "lipsdp",
  claims: [oneLayer(), ordering(), sandwich(), infinityNorm(), beyondFeedForward(), otherActivations(), moons()],
});
