import { defineClaims } from "@offprint/claims";
import { changingNorms } from "./changing-norms.js";
import { exactShapes, numericalRefinement, optimality } from "./exact-shapes.js";
import { inequalities } from "./inequalities.js";
import { irisSchedules, linearDecay } from "./linear-decay.js";
import { vanishingGradients } from "./vanishing-gradients.js";
import { warmUpAppears } from "./warm-up.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "refined-schedules",
  claims: [
    exactShapes(),
    optimality(),
    inequalities(),
    numericalRefinement(),
    linearDecay(),
    changingNorms(),
    warmUpAppears(),
    irisSchedules(),
    vanishingGradients(),
  ],
});
