import { type Claim, figure } from "@offprint/claims";
import { activation, perceptron } from "@offprint/networks";
import { residualReluBound } from "../src/index.js";
import { type Bounder, published } from "./method.js";

/** One MaxMin layer is 1-Lipschitz; its rewriting in ReLUs does not show it. */
export function oneLayer(bound: Bounder = published): Claim {
  return {
    id: "maxmin-is-one-lipschitz",
    statement: "The new constraints show that a MaxMin layer is 1-Lipschitz; LipSDP on its ReLU rewriting gives sqrt 2",
    source: "Section 1, Appendix",
    paper: { bound: 1, rewriting: Math.SQRT2 },
    async run() {
      const identity = [
        [1, 0],
        [0, 1],
      ];
      const network = perceptron([{ weight: identity }, { weight: identity }], activation("maxmin"));
      const value = await bound(network, { multipliers: "diag" });
      const rewriting = (await residualReluBound(network)).value;
      const single = (await residualReluBound(network, { relusPerPair: 1 })).value;
      const holds =
        Math.abs(value - 1) < 1e-4 && Math.abs(rewriting - Math.SQRT2) < 1e-4 && Math.abs(single - 1) < 1e-4;
      return {
        measured: { bound: value, rewriting, "rewriting with one ReLU per pair": single },
        holds,
        detail:
          `Bound ${figure(value, 6)} (1 within 1e-4), two ReLUs per pair ${figure(rewriting, 6)} (sqrt 2 within 1e-4). ` +
          `With one ReLU per pair the rewriting gives ${figure(single, 6)}: what fails is the rewriting, not LipSDP.`,
      };
    },
  };
}
