import { defineClaims } from "@offprint/claims";
import { dimensionIndependence, exactness, geometricConvergence } from "./convergence.js";
import { costByDimension } from "./cost-by-dimension.js";
import { dirichlet, endToEnd, monteCarloRate } from "./networks.js";
import { normGrowth } from "./norm-growth.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "barron-pde",
  claims: [
    exactness(),
    geometricConvergence(),
    dimensionIndependence(),
    costByDimension(),
    normGrowth(),
    monteCarloRate(),
    dirichlet(),
    endToEnd(),
  ],
});
