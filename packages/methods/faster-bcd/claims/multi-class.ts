import { type Claim, figure } from "@offprint/claims";
import { type BcdResult, type SelectionRule, softmaxRegression } from "../src/index.js";
import { type Method, published } from "./method.js";
import { classified } from "./problems.js";

/** Multi-class logistic regression with Newton and with matrix steps. */
export function multiClass(method: Method = published, count = 2): Claim {
  return {
    id: "multi-class",
    statement: "On multi-class logistic regression greedy rules win too, most of all with Newton steps on the block",
    source: "Figure 5b",
    paper: "GSD < GS < random, and Newton steps below matrix steps",
    async run({ rng, scale, onProgress }) {
      const { m, features, classes, iterations, instances } =
        scale === "full"
          ? { m: 1000, features: 1000, classes: 50, iterations: 500, instances: 1 }
          : { m: 100, features: 50, classes: 5, iterations: 150, instances: count };
      const rows: (string | number)[][] = [];
      let holds = true;
      const results: Record<string, BcdResult> = {};
      for (const [k, own] of rng.split(instances).entries()) {
        const { A, labels } = classified(m, features, classes, own);
        const smooth = softmaxRegression(A, labels, classes);
        const run = async (rule: SelectionRule, update: "newton" | "matrix"): Promise<number> => {
          const result = await method(
            { smooth },
            { blockSize: 5, rule, update, maxIterations: iterations, tolerance: 0 },
          );
          results[`${rule}, ${update}`] = result;
          return result.objective;
        };
        const [gsd, gs, random] = [
          await run("gsd", "newton"),
          await run("gs", "newton"),
          await run("random", "newton"),
        ];
        const matrix = [await run("gsd", "matrix"), await run("gs", "matrix"), await run("random", "matrix")] as const;
        holds &&= gsd < 0.7 * gs && gs < 0.7 * random && gsd < matrix[0];
        rows.push([k, gsd, gs, random, ...matrix]);
        await onProgress((k + 1) / instances);
      }
      const [, gsd, gs, random] = rows[rows.length - 1] as number[];
      return {
        measured: { GSD: gsd, GS: gs, random },
        holds,
        detail:
          `On each of ${instances} problems with ${features} features and ${classes} classes, the loss after ${iterations} Newton steps on 5 variables must be ordered GSD < 0.7 GS < 0.49 random, and ` +
          `below that of matrix steps; in the last: ${figure(gsd)}, ${figure(gs)}, ${figure(random)}.`,
        tables: [
          {
            title: "Loss",
            columns: [
              "problem",
              "GSD, Newton",
              "GS, Newton",
              "random, Newton",
              "GSD, matrix",
              "GS, matrix",
              "random, matrix",
            ],
            rows,
          },
        ],
        series: [
          {
            kind: "line",
            title: "Loss on multi-class logistic regression",
            x: { label: "iteration" },
            y: { label: "loss", scale: "log" },
            curves: Object.entries(results).map(([name, { history }]) => ({
              name,
              x: history.map((r) => r.iteration),
              y: history.map((r) => r.objective),
            })),
          },
        ],
      };
    },
  };
}
