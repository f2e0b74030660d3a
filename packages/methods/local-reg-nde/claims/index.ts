import { defineClaims } from "@offprint/claims";
import { headline } from "./headline.js";
import { headlineSde } from "./headline-sde.js";
import { memory } from "./memory.js";
import { locality, relation } from "./relation.js";
import { stepSource, stiffness } from "./variants.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "local-reg-nde",
  claims: [relation(), locality(), headline(), stiffness(), stepSource(), headlineSde(), memory()],
});
