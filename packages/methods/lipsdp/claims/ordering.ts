import type { Claim } from "@offprint/claims";
import { activation, perceptron } from "@offprint/networks";
import { productBound, residualReluBound } from "../src/index.js";
import { type Bounder, deterministicLayers, published, tight } from "./method.js";

const nets = [
  { dims: [6, 8, 4], diag: 0.734779 },
  { dims: [5, 8, 8, 3], diag: 0.819735 },
  { dims: [4, 6, 6, 6, 2], diag: 0.560659 },
  { dims: [10, 16, 16, 16, 16, 5], diag: 0.769126 },
];

/** The ordering of the bounds on networks of growing depth. */
export function ordering(bound: Bounder = published, count: number = nets.length): Claim {
  return {
    id: "ordering-of-bounds",
    statement:
      "LipSDP-NSR is below the product of norms and below LipSDP on the ReLU rewriting, which becomes useless with depth",
    source: "Table 1",
    paper: "NSR < MP, NSR < RR; RR fails on deep networks",
    async run({ onProgress }) {
      const rows: [string, number, number, number, number][] = [];
      let holds = true;
      for (const [k, { dims, diag }] of nets.slice(0, count).entries()) {
        const network = perceptron(deterministicLayers(dims), activation("maxmin"));
        const nsr = await bound(network, { multipliers: "diag" });
        const eliminated = await bound(network, { multipliers: "eliminated" });
        await onProgress((k + 0.4) / count, dims.join("-"));
        // The objective, as a certified value may be large because it is loose.
        const rewriting = (await residualReluBound(network)).objective;
        const product = productBound(network);
        rows.push([dims.join("-"), eliminated, nsr, rewriting, product]);
        holds &&= tight(nsr, diag) && eliminated <= nsr && nsr <= product && nsr < rewriting;
        if (k >= nets.length - 2) holds &&= rewriting > product;
        await onProgress((k + 1) / count, dims.join("-"));
      }
      const [, eliminated, nsr, rewriting, product] = rows[rows.length - 1];
      return {
        measured: { NSR: nsr, eliminated, RR: rewriting, MP: product },
        holds,
        detail:
          "The certified bounds must be within 1e-3 of the programme's exact optimum and ordered on all four networks, and " +
          "the rewriting must exceed the product of norms on the two deepest; the figures are those of the deepest.",
        tables: [{ title: "Bounds by network", columns: ["network", "eliminated", "NSR (diag)", "RR", "MP"], rows }],
        series: [
          {
            kind: "bar",
            title: "Bounds by network",
            category: "network",
            categories: rows.map(([name]) => name),
            value: { label: "Lipschitz bound" },
            bars: ["eliminated", "NSR", "RR", "MP"].map((name, i) => ({
              name,
              values: rows.map((row) => row[i + 1] as number),
            })),
          },
        ],
      };
    },
  };
}
