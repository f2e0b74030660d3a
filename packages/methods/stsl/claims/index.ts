import { defineClaims } from "@offprint/claims";
import { bias, bound } from "./bounds.js";
import { editing } from "./editing.js";
import { identities } from "./identities.js";
import { ablation, calls } from "./restoration.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "stsl",
  claims: [calls(), ablation(), identities(), bound(), bias(), editing()],
});
