import type { Claim } from "@offprint/claims";
import { logRatioToRandom, reagent } from "../src/index.js";
import type { Search } from "./cause-search.js";
import { DRAWS, type Method, meanMetrics, methodScores, methods } from "./method-scores.js";

/** Share of the features that every method keeps in the matched comparison. */
const MASS = 0.15;

/** Methods that must stay behind in the headline comparison; those that integrate gradients do not. */
const behind: readonly Method[] = [
  "input x gradient",
  "gradient norm",
  "attention, mean",
  "attention, last layer",
  "attention rollout",
  "LIME",
];

/** Methods that are compared at equal mass also at the quick scale. */
const matched = ["ReAGent", "input x gradient", "integrated gradients", "attention, mean", "LIME", "random"] as const;

const two = (value: number): string => value.toFixed(2);

/** The paper's comparison with the paper's metric. */
export function headlineComparison(search: Search = reagent, sentences?: number): Claim {
  return {
    id: "soft-nc-against-baselines",
    statement: "By Soft-NC, ReAGent is more faithful than gradients, attention and LIME",
    source: "Table 2 (LongRA)",
    paper: { "GPT-2 354M: Soft-NC": 4.01, "GPT-2 354M: best other": 1.87 },
    async run(context) {
      const scored = await methodScores(context, search, sentences);
      const means = await meanMetrics(context, scored, methods);
      const ratio = (name: Method, metric: "ns" | "nc") =>
        logRatioToRandom([means[name][metric]], [means.random[metric]]);
      const own = ratio("ReAGent", "nc");
      const best = Math.max(...behind.map((name) => ratio(name, "nc")));
      return {
        measured: {
          ReAGent: own,
          "best of the six": best,
          "integrated gradients": ratio("integrated gradients", "nc"),
        },
        holds: own >= best + 1,
        detail:
          `ln of the mean Soft-NC over that of random scores, ${scored.cases.length} sentences and ${DRAWS[context.scale]} draws: ReAGent's (${two(own)}) must be at least 1 above ` +
          `the best of input x gradient, gradient norm, three attention methods and LIME (${two(best)}). Integrated gradients reach ` +
          `${two(ratio("integrated gradients", "nc"))} although they find the cause in ${(100 * scored.hits["integrated gradients"]).toFixed(0)} % only.`,
        tables: [
          {
            title: "ln ratio to random, and how often the cause comes first",
            columns: ["method", "Soft-NS", "Soft-NC", "cause first"],
            rows: methods.map((name) => [name, ratio(name, "ns"), ratio(name, "nc"), scored.hits[name]]),
          },
        ],
        series: [
          {
            kind: "bar",
            title: "Soft-NC against random scores",
            category: "method",
            categories: [...methods],
            value: { label: "ln ratio" },
            bars: [{ name: "Soft-NC", values: methods.map((name) => ratio(name, "nc")) }],
          },
        ],
      };
    },
  };
}

/** The comparison in which every method keeps the same amount. */
export function matchedMass(search: Search = reagent, sentences?: number): Claim {
  return {
    id: "matched-mass",
    statement:
      "Also where every method removes the same amount, removing what ReAGent names changes the prediction most of the simple methods",
    source: "own metric, after Section 4.2",
    paper: "not reported",
    async run(context) {
      const scored = await methodScores(context, search, sentences);
      const shown = context.scale === "full" ? methods : matched;
      const means = await meanMetrics(context, scored, shown, MASS);
      const { ReAGent: own, random: chance, "attention, mean": attention } = means;
      return {
        measured: { ReAGent: own.nc, random: chance.nc, "attention, mean": attention.nc },
        holds: own.nc >= 1.7 * chance.nc && own.nc > attention.nc,
        detail:
          `Mean Soft-NC with ${100 * MASS} % of the features removed: ReAGent's (${two(own.nc)}) must be at least 1.7 times that of random scores ` +
          `(${two(chance.nc)}) and above that of mean attention (${two(attention.nc)}). The metric ranks methods by how much of the network's drive they ` +
          "remove, not by whether they find the cause, which stands beside it.",
        tables: [
          {
            title: "Soft metrics at equal mass, and how often the cause comes first",
            columns: ["method", "Soft-NS", "Soft-NC", "cause first", "left out"],
            rows: shown.map((name) => [name, means[name].ns, means[name].nc, scored.hits[name], means[name].leftOut]),
          },
        ],
      };
    },
  };
}
