import { defineClaims } from "@offprint/claims";
import { againstStraightThrough, frequency, twoStages } from "./accuracy.js";
import { digitRuns } from "./digit-runs.js";
import { bitExact, packedCost } from "./inference.js";
import { quantizationErrorFormula } from "./quantization.js";

const runs = digitRuns();

/** What the paper on BiPer says, as programs. */
export const claims = defineClaims({
  method: "biper",
  claims: [
    quantizationErrorFormula(),
    againstStraightThrough(runs),
    frequency(runs),
    twoStages(runs),
    bitExact(runs),
    packedCost(),
  ],
});
