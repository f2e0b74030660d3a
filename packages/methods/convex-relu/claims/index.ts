import { defineClaims } from "@offprint/claims";
import { adversarialTraining } from "./adversarial-training.js";
import { exactOptimum } from "./exact-optimum.js";
import { globalAgainstLocal } from "./global-against-local.js";
import { iterationCost } from "./iteration-cost.js";
import { sampledPatterns } from "./sampled-patterns.js";
import { sampledProgram } from "./sampled-program.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "convex-relu",
  claims: [
    exactOptimum(),
    globalAgainstLocal(),
    sampledPatterns(),
    sampledProgram(),
    iterationCost(),
    adversarialTraining(),
  ],
});
