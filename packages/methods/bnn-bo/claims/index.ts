import { defineClaims } from "@offprint/claims";
import { fewDimensions, manyDimensions } from "./dimensions.js";
import { hmcExact } from "./hmc-exact.js";
import { infiniteLimit } from "./infinite-limit.js";
import { laplaceExact } from "./laplace-exact.js";
import { severalObjectives } from "./several-objectives.js";

export { dtlz1, dtlz3, dtlz5, dtlz7, oil } from "./many-objectives.js";
export { ackley, branin, braninCurrin, hartmann6, networkDraw, type Problem } from "./problems.js";
export { brusselator, pestControl, polynomial } from "./simulations.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "bnn-bo",
  claims: [manyDimensions(), fewDimensions(), hmcExact(), infiniteLimit(), severalObjectives(), laplaceExact()],
});
