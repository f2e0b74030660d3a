import { type Claim, figure } from "@offprint/claims";
import { activation, perceptron } from "@offprint/networks";
import { type Network, productBound } from "../src/index.js";
import { type Bounder, deterministicWeights, published, tight } from "./method.js";

function cases(): { name: string; network: Network; free: number; diag: number }[] {
  const maxmin = activation("maxmin");
  const [G, H] = deterministicWeights([6, 8, 6]);
  const [raw] = deterministicWeights([6, 6]);
  const norm = productBound(perceptron([{ weight: raw }], maxmin));
  return [
    {
      name: "residual",
      network: { kind: "residual", blocks: [{ G, H }], activation: maxmin },
      free: 1.645084,
      diag: 1.710818,
    },
    {
      name: "residual with H = -G^T",
      network: {
        kind: "residual",
        blocks: [{ G, H: G[0].map((_, j) => G.map((row) => -row[j])) }],
        activation: maxmin,
      },
      free: 2.133883,
      diag: 2.215833,
    },
    {
      name: "implicit",
      network: {
        kind: "implicit",
        W: raw.map((row) => row.map((value) => (0.6 * value) / norm)),
        U: deterministicWeights([4, 6], 0.9)[0],
        C: deterministicWeights([6, 2], 1.7, 1.1)[0],
        activation: maxmin,
      },
      free: 1.340793,
      diag: 1.374945,
    },
  ];
}

/** Residual and implicit networks, where P or S is needed. */
export function beyondFeedForward(bound: Bounder = published): Claim {
  return {
    id: "residual-and-implicit",
    statement: "For residual and implicit networks one of S and P must be free: with S = P = 0 the bound is worse",
    source: "Section 4, Table 3",
    paper: { "S = P = 0": 33.04, "P free": 29.75, MP: 55.65 },
    async run({ onProgress }) {
      const rows: [string, number, number, number, number][] = [];
      let holds = true;
      for (const [k, { name, network, free, diag }] of cases().entries()) {
        const zero = await bound(network, { multipliers: "diag" });
        await onProgress((k + 0.2) / 3, name);
        const full = await bound(network, { multipliers: "full" });
        const eliminated = await bound(network, { multipliers: "eliminated" });
        const product = productBound(network);
        rows.push([name, eliminated, full, zero, product]);
        holds &&= tight(zero, diag) && tight(full, free) && tight(eliminated, free) && full < zero - 1e-2;
        holds &&= zero <= product;
        await onProgress((k + 1) / 3, name);
      }
      const [, eliminated, full, zero, product] = rows[0];
      return {
        measured: { "P free": full, eliminated, "S = P = 0": zero, MP: product },
        holds,
        detail:
          "On a residual, a monotone residual and an implicit network every bound must be within 1e-3 of its exact optimum, " +
          `and P must gain at least 0.01; the figures are those of the residual network (${figure(full, 6)} against ${figure(zero, 6)}).`,
        tables: [{ title: "Bounds by network", columns: ["network", "eliminated", "P free", "S = P = 0", "MP"], rows }],
      };
    },
  };
}
