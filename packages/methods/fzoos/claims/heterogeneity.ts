import { type Claim, figure, meanOf } from "@offprint/claims";
import { type Method, published } from "./method.js";
import { quadraticRun } from "./quadratic-runs.js";

/** Heterogeneity and rounds. */
const [MILD, STRONG] = [
  { C: 5, rounds: 6 },
  { C: 50, rounds: 9 },
];

/** The correction by the global surrogate is what makes clients that disagree arrive. */
export function heterogeneity(method: Method = published): Claim {
  return {
    id: "correction-under-heterogeneity",
    statement:
      "The correction by the global surrogate makes clients that disagree converge to the minimum of their mean",
    source: "Section 4.2, Figure 2",
    paper: "the gap grows with C (curves)",
    async run(context) {
      const problems = context.scale === "full" ? 5 : 2;
      const strongProblems = context.scale === "full" ? 5 : 1;
      const mean = async (name: string, { C, rounds }: typeof MILD, count = problems) => {
        const gaps: number[] = [];
        for (let k = 0; k < count; k++) {
          const run = await quadraticRun(context, method, name, C, rounds, k);
          gaps.push(run.gaps[rounds]);
        }
        return meanOf(gaps);
      };
      const corrected = await mean("FZooS", MILD);
      const uncorrected = await mean("FZooS without correction", MILD);
      await context.onProgress(0.5);
      const strong = await mean("FZooS", STRONG, strongProblems);
      const decayed = context.scale === "full" ? await mean("FZooS, 1 / (t + 1)", STRONG, strongProblems) : undefined;
      return {
        measured: { "gap to that without correction": corrected / uncorrected, "gap at C = 50": strong },
        holds: corrected <= 0.1 * uncorrected && strong <= 0.1,
        detail:
          `C = 5, 6 rounds, mean of ${problems} problems: F - F* at most a tenth of that without correction (${figure(corrected)} beside ${figure(uncorrected)}). C = 50, 9 rounds: at most ` +
          `0.1 (${figure(strong)}, mean of ${strongProblems})${decayed === undefined ? "" : `; with the authors' gamma = 1 / (t + 1) it is ${figure(decayed)}`}.`,
      };
    },
  };
}
