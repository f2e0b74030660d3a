import { defineClaims } from "@offprint/claims";
import { blackBoxAttack } from "./attack.js";
import { exactSurrogates } from "./exact.js";
import { fewerQueries } from "./fewer-queries.js";
import { heterogeneity } from "./heterogeneity.js";
import { surrogateQuality } from "./quality.js";

export { ackley, type Benchmark, levy, quadratic } from "./benchmarks.js";
export { type Attack, digitAttack } from "./digit-fleet.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "fzoos",
  claims: [exactSurrogates(), surrogateQuality(), fewerQueries(), heterogeneity(), blackBoxAttack()],
});
