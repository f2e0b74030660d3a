import { defineClaims } from "@offprint/claims";
import { depth } from "./depth.js";
import { links } from "./links.js";
import { oneLayer } from "./locality.js";
import { memory, sparseProducts } from "./memory.js";
import { passes, variants } from "./variants.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "forwardgnn",
  claims: [oneLayer(), depth(), links(), variants(), passes(), memory(), sparseProducts()],
});
