import { defineClaims } from "@offprint/claims";
import { classification } from "./classification.js";
import { graphValueIteration, policyEvaluation } from "./decisions.js";
import { exactFixedPoint } from "./exact-fixed-point.js";
import { guarantee } from "./guarantee.js";
import { implicitGradient } from "./implicit-gradient.js";
import { linearCost } from "./linear-cost.js";
import { poreNetworks } from "./pore-networks.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "convergent-graph-solvers",
  claims: [
    exactFixedPoint(),
    linearCost(),
    implicitGradient(),
    guarantee(),
    poreNetworks(),
    policyEvaluation(),
    graphValueIteration(),
    classification(),
  ],
});
