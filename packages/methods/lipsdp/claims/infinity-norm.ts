import { type Claim, figure } from "@offprint/claims";
import { activation, perceptron } from "@offprint/networks";
import { enumerationBound, productBound } from "../src/index.js";
import { type Bounder, deterministicLayers, published, tight } from "./method.js";

const cases = [
  { outputs: [0], diag: 1.482349, eliminated: 1.436661 },
  { outputs: [0, 1, 2, 3], diag: 3.335613, eliminated: 2.95494 },
];

/** Bounds from linf to l1. */
export function infinityNorm(bound: Bounder = published): Claim {
  return {
    id: "infinity-norm",
    statement:
      "The constraints bound changes in linf far below the product of norms and below the l2 bound's equivalent",
    source: "Table 2",
    paper: { NSR: 1.97e5, MP: 2.79e16 },
    async run() {
      let holds = true;
      const measured: Record<string, number> = {};
      for (const { outputs, diag, eliminated } of cases) {
        const [first, last] = deterministicLayers([6, 8, 4]);
        const network = perceptron([first, { weight: outputs.map((row) => last.weight[row]) }], activation("maxmin"));
        const norm = "linf-l1";
        const nsr = await bound(network, { norm, multipliers: "diag" });
        const tighter = await bound(network, { norm, multipliers: "eliminated" });
        const equivalent = (await bound(network, { multipliers: "diag" })) * Math.sqrt(6 * outputs.length);
        const product = productBound(network, norm);
        holds &&= tight(nsr, diag) && tight(tighter, eliminated);
        holds &&= enumerationBound(network, { norm }) <= tighter && nsr < product && nsr < equivalent;
        measured[`NSR, ${outputs.length} outputs`] = nsr;
        measured[`MP, ${outputs.length} outputs`] = product;
        measured[`l2 equivalent, ${outputs.length} outputs`] = equivalent;
      }
      return {
        measured,
        holds,
        detail:
          "On the 6-8-4 network NSR and eliminated must be within 1e-3 of their exact optima (" +
          `${cases.map(({ diag, eliminated }) => `${figure(diag, 6)} and ${figure(eliminated, 6)}`).join("; ")}), above the ` +
          "enumeration, and NSR below both baselines.",
      };
    },
  };
}
