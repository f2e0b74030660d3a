import { type Claim, figure } from "@offprint/claims";
import { activation, perceptron } from "@offprint/networks";
import { enumerationBound, productBound, samplingBound } from "../src/index.js";
import { type Bounder, published } from "./method.js";

/** Certified bounds between samples and the product of norms on random networks. */
export function sandwich(bound: Bounder = published, count = 20): Claim {
  return {
    id: "sandwich",
    statement: "On random networks: sample <= enumeration <= eliminated <= NSR <= product of norms",
    source: "Section 5",
    paper: "the order holds",
    async run({ rng, onProgress }) {
      const ratios: { eliminated: number; diag: number; product: number }[] = [];
      let violations = 0;
      for (const [k, own] of rng.split(count).entries()) {
        const layers = [
          [8, 6],
          [4, 8],
        ].map(([rows, columns]) => ({
          weight: own.normal([rows, columns], { std: 1 / Math.sqrt(columns), dtype: "float64" }),
        }));
        const network = perceptron(layers, activation("maxmin"));
        const sample = samplingBound(network, { points: 2000, seed: k });
        const all = enumerationBound(network);
        const eliminated = await bound(network, { multipliers: "eliminated" });
        const diag = await bound(network, { multipliers: "diag" });
        const product = productBound(network);
        const ordered =
          sample <= all * (1 + 1e-12) &&
          all <= eliminated + 1e-12 &&
          eliminated <= diag + 1e-4 &&
          diag <= product * (1 + 1e-12);
        if (!ordered) violations++;
        ratios.push({ eliminated: eliminated / all, diag: diag / all, product: product / all });
        await onProgress((k + 1) / count);
      }
      const mean = (key: "eliminated" | "diag" | "product"): number =>
        ratios.reduce((sum, ratio) => sum + ratio[key], 0) / ratios.length;
      const [eliminated, diag, product] = [mean("eliminated"), mean("diag"), mean("product")];
      const holds = violations === 0 && eliminated < 1.01 && diag < 0.95 * product;
      return {
        measured: { "eliminated / enumeration": eliminated, "NSR / enumeration": diag, "MP / enumeration": product },
        holds,
        detail:
          `The order must hold on all ${count} networks (${violations} violations); on average eliminated must be within ` +
          `1 % of the enumeration (${figure(eliminated, 6)}) and NSR at least 5 % below the product of norms ` +
          `(${figure(diag, 6)} against ${figure(product, 6)}).`,
      };
    },
  };
}
