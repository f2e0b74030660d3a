import { defineClaims } from "@offprint/claims";
import { againstRsvrb } from "./against-rsvrb.js";
import { closedForm } from "./closed-form.js";
import { bothConverge } from "./convergence.js";
import { independentOfBlocks, productsAreCheap } from "./cost.js";
import { noisyLabels } from "./noisy-labels.js";
import { batchSpeedup, parallelSpeedup } from "./parallel-speedup.js";
import { varianceReduction } from "./variance-reduction.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "bsvrb",
  claims: [
    closedForm(),
    bothConverge(),
    parallelSpeedup(),
    batchSpeedup(),
    varianceReduction(),
    againstRsvrb(),
    independentOfBlocks(),
    productsAreCheap(),
    noisyLabels(),
  ],
});
