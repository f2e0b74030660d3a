import { type Claim, type ClaimContext, figure } from "@offprint/claims";
import { type Method, targetSurrogates } from "./method.js";
import { flippedCancer } from "./problems.js";
import { type Marks, meanMarks, raceBaselines, raceSurrogates } from "./tuned-baselines.js";

const OURS = ["m = 50", "m = 10", "m = 1"] as const;

/** Whether mean distances from the optimum, after one pass and after all, bear the claim out. */
export function judgeRealData(means: Readonly<Record<string, Marks>>): boolean {
  const [many, some, one] = OURS.map((name) => means[name]);
  const ordered = [0, 1].every((at) => many[at] < some[at] && some[at] < one[at]);
  const ahead = Object.entries(means)
    .filter(([name]) => !OURS.some((each) => each === name))
    .every(([name, marks]) => many[0] <= 0.6 * marks[0] && many[1] <= (name === "Adam" ? 1 : 0.8) * marks[1]);
  return ordered && ahead;
}

/** Untuned surrogates are nearer to the optimum than tuned baselines at equal calls. */
export function realData(method: Method = targetSurrogates, runs = 8): Claim {
  return {
    id: "real-data",
    statement: "On real data of large scale differences, surrogates without tuning beat tuned baselines at equal calls",
    source: "Section 5, convex losses",
    paper: "larger m reduces the loss per gradient call (curves)",
    async run(context: ClaimContext) {
      const count = runs;
      const all: Record<string, Marks>[] = [];
      for (let k = 0; k < count; k++) {
        const seed = context.seed * count + k;
        const race = { problem: flippedCancer(seed), batch: 64, passes: 20, seed };
        const found: Record<string, Marks> = {};
        for (const m of [50, 10, 1]) found[`m = ${m}`] = await raceSurrogates(method, race, m);
        all.push({ ...found, ...(await raceBaselines(race, context.scale)) });
        await context.onProgress((k + 1) / count, "breast cancer");
      }
      const means = meanMarks(all);
      const rows = Object.entries(means).map(([name, marks]) => [name, ...marks]);
      return {
        measured: {
          "m = 50, 1 pass": means["m = 50"][0],
          "m = 50, 20 passes": means["m = 50"][1],
          "Adam, 20 passes": means.Adam[1],
        },
        holds: judgeRealData(means),
        detail: `Mean distance from the optimum after 1 and 20 passes, ${count} runs: ${rows.map(([name, a, b]) => `${name} ${figure(a as number)}, ${figure(b as number)}`).join("; ")}. m = 50 is to be below m = 10 below m = 1; <= 0.6 times every baseline after 1 pass; <= 0.8 times SGD, AdaGrad and the line search, and <= Adam, after 20. Baselines have the best of their learning rates for each run and figure.`,
        tables: [{ title: "Mean distance from the optimum", columns: ["method", "1 pass", "20 passes"], rows }],
      };
    },
  };
}
