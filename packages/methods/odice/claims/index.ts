import { defineClaims } from "@offprint/claims";
import { exactDual } from "./exact-dual.js";
import { stateConstraint } from "./state-constraint.js";
import { conflict, swampMaze } from "./swamp.js";
import { swingUp } from "./swing-up.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "odice",
  claims: [swampMaze(), swingUp(), stateConstraint(), conflict(), exactDual()],
});
