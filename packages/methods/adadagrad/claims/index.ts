import { defineClaims } from "@offprint/claims";
import { criticalBatch } from "./critical-batch.js";
import { noiseFloor } from "./noise-floor.js";
import { oneBudget } from "./one-budget.js";
import { selectivity } from "./selectivity.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "adadagrad",
  claims: [criticalBatch(), noiseFloor(), oneBudget(), selectivity()],
});
