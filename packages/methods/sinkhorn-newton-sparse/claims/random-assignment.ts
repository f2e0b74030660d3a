import { type Claim, figure, memo } from "@offprint/claims";
import { sinkhorn } from "../src/index.js";
import { errorCurve, type Method, published, randomAssignment, totalIterations } from "./method.js";

const ETA = 1200;

/** Problems and Sinkhorn's iterations on them, once for all methods that are compared with them. */
const withBaselines = memo(async ({ rng, scale }, count: number) => {
  const maxIterations = scale === "full" ? 10000 : 1000;
  const problems = rng.split(count).map((part) => randomAssignment(part, 500));
  const options = { eta: ETA, maxIterations, tolerance: 0, domain: "stabilised" } as const;
  return Promise.all(problems.map(async (problem) => ({ problem, baseline: await sinkhorn(problem, options) })));
});

/** Machine accuracy in some tens of iterations where Sinkhorn needs tens of thousands; on `quick` problems. */
export function randomAssignmentIterations(method: Method = published, quick = 2): Claim {
  return {
    id: "random-assignment",
    statement:
      "On random assignment with eta = 1200 some tens of iterations reach machine accuracy, and Sinkhorn needs thousands",
    source: "Section 5.1, Table 1",
    paper: "29 iterations (20 + 9); Sinkhorn 56,199",
    async run(context) {
      const { onProgress, scale } = context;
      const problems = await withBaselines(context, scale === "full" ? 5 : quick);
      const results = [];
      const errors = [];
      let curves = [] as ReturnType<typeof errorCurve>[];
      for (const [k, { problem, baseline }] of problems.entries()) {
        const result = await method(problem, { eta: ETA });
        results.push(result);
        errors.push(baseline.history[999].marginalError);
        if (k === 0) curves = [errorCurve("Sinkhorn-Newton-sparse", result), errorCurve("Sinkhorn", baseline)];
        await onProgress((k + 1) / problems.length);
      }
      const most = Math.max(...results.map(totalIterations));
      const worst = Math.max(...results.map(({ marginalError }) => marginalError));
      const middle = [...errors].sort((a, b) => a - b)[errors.length >> 1];
      return {
        measured: {
          iterations: results.map(({ stages: { sinkhorn, newton } }) => `${sinkhorn} + ${newton}`).join("; "),
          "marginal error": worst,
          "Sinkhorn after 1000": middle,
        },
        holds: most <= 40 && worst <= 1e-13 && middle > 1e-6,
        detail:
          `n = 500: at most 40 iterations in all (${most}) must bring the marginal error to 1e-13 (${figure(worst)}), and ` +
          `1000 of Sinkhorn must leave it above 1e-6 in the median (${figure(middle)}).`,
        series: [
          {
            kind: "line",
            title: "Random assignment, n = 500, eta = 1200",
            x: { label: "iteration", scale: "log" },
            y: { label: "marginal error", scale: "log" },
            curves,
          },
        ],
      };
    },
  };
}
