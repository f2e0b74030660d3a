import { defineClaims } from "@offprint/claims";
import { activationUniformity } from "./activations.js";
import { analyticalFunctions } from "./analytical-functions.js";
import { largeStep } from "./large-step.js";
import { lossScaleLimits } from "./loss-scale-limits.js";
import { regretBound } from "./regret.js";

export { type Minimum, type TestFunction, testFunctions } from "./test-functions.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "diffgrad",
  claims: [analyticalFunctions(), lossScaleLimits(), largeStep(), activationUniformity(), regretBound()],
});
