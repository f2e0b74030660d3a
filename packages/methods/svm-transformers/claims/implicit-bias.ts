import { type Claim, figure, meanOf } from "@offprint/claims";
import { correlation, optimalTokens } from "../src/index.js";
import { randomProblem } from "./data.js";
import { type Method, svmTransformers } from "./method.js";

const KINDS = [
  { parameters: "w", own: "frobenius" },
  { parameters: "kq", own: "nuclear" },
] as const;

/** Claim 2, the headline: which norm belongs to which parametrisation. */
export function implicitBias(method: Method = svmTransformers, most = 40): Claim {
  return {
    id: "implicit-bias",
    statement:
      "Training W goes in the direction of the margin in the Frobenius norm, training K and Q in that of the nuclear norm",
    source: "Theorems 2 and 3, figures 3 and 4",
    paper: "correlations close to 1",
    async run({ rng, scale, seed, onProgress }) {
      const sets = Math.min(most, scale === "full" ? 40 : 12);
      const found: Record<string, number[]> = {};
      const masses: number[] = [];
      let agree = 0;
      const problems = Array.from({ length: sets }, () => randomProblem(rng, 6, 8, 10));
      const best = problems.map(({ examples, v }) => optimalTokens(examples, v).tokens);
      for (const { parameters } of KINDS) {
        const { layers, history } = await method.trainAttentions(
          problems.map(({ examples }) => examples),
          { head: problems.map(({ v }) => ({ kind: "linear", v })), parameters, seed },
        );
        masses.push(...(history.at(-1)?.concentration ?? [0]));
        for (const [i, layer] of layers.entries()) {
          agree += layer.selected.filter((token, each) => token === best[i][each]).length / (12 * sets);
          for (const norm of ["frobenius", "nuclear"] as const) {
            const { w } = await method.attentionSvm(problems[i].examples, layer.selected, { norm });
            found[`${parameters} ${norm}`] ??= [];
            found[`${parameters} ${norm}`].push(correlation(layer.w, w));
          }
          await onProgress((masses.length - layers.length + i + 1) / (2 * sets));
        }
      }
      const mean = (parameters: string, norm: string) => meanOf(found[`${parameters} ${norm}`]);
      const own = KINDS.map(({ parameters, own: norm }) => mean(parameters, norm));
      const other = [mean("w", "nuclear"), mean("kq", "frobenius")];
      const mass = Math.min(...masses);
      return {
        measured: { "W, Frobenius": own[0], "K and Q, nuclear": own[1] },
        holds: Math.min(...own) > 0.99 && Math.max(...other) < 0.95 && mass > 0.999,
        detail:
          `Mean correlation over ${sets} data sets: ${own.map((each) => figure(each)).join(" and ")} with the own norm (above 0.99), ` +
          `${other.map((each) => figure(each)).join(" and ")} with the other (below 0.95). Selected tokens have ${figure(mass)} of the attention ` +
          `at least (above 0.999), and are those of the highest score in ${figure(100 * agree)} % of the examples.`,
        series: [
          {
            kind: "bar",
            title: "Correlation of trained weights with the two margins",
            category: "trained",
            categories: ["W", "K and Q"],
            value: { label: "correlation", range: [0.8, 1] },
            bars: (["frobenius", "nuclear"] as const).map((norm) => ({
              name: `${norm} norm`,
              values: [mean("w", norm), mean("kq", norm)],
            })),
          },
        ],
      };
    },
  };
}
