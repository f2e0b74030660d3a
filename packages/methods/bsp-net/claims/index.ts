import { defineClaims } from "@offprint/claims";
import { chairClaims } from "./chair-claims.js";
import { exactPolytopes } from "./polytopes.js";
import { correspondence, discretisation, twoPhases } from "./toy-claims.js";
import { toySource } from "./toy-networks.js";

const toy = toySource();

/** The paper's claims. */
export const claims = defineClaims({
  method: "bsp-net",
  claims: [exactPolytopes(), ...chairClaims(), twoPhases(toy), correspondence(toy), discretisation(toy)],
});
