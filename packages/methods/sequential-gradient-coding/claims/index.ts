import { defineClaims } from "@offprint/claims";
import { exactGradients } from "./exact-gradients.js";
import { guarantees } from "./guarantees.js";
import { loads } from "./loads.js";
import { realWorkers } from "./real-workers.js";
import { runTime, waiting } from "./run-time.js";

export { digitsRegression } from "./digits-job.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "sequential-gradient-coding",
  claims: [guarantees(), exactGradients(), loads(), runTime(), realWorkers(), waiting()],
});
