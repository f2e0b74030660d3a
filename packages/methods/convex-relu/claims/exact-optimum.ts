import { type Claim, figure } from "@offprint/claims";
import { trainConvex } from "../src/index.js";
import { BETA, smallProblem, type Trainer } from "./problems.js";

/** ADMM on all patterns reaches the optimum, and the recovered network has the programme's value. */
export function exactOptimum(train: Trainer = trainConvex): Claim {
  return {
    id: "exact-optimum",
    statement: "ADMM on all activation patterns trains a network to the global optimum, and the certificate proves it",
    source: "Theorem 1, Algorithm 1",
    paper: "the optimum of the non-convex problem",
    async run({ rng, scale, onProgress, signal }) {
      const draws = scale === "full" ? 10 : 3;
      const rows: number[][] = [];
      const curves: { name: string; x: number[]; y: number[] }[] = [];
      for (const [i, part] of rng.split(draws).entries()) {
        const { x, y, patterns } = smallProblem(part);
        const options = {
          loss: "squared",
          beta: BETA,
          patterns,
          maxIterations: 20_000,
          tolerance: 1e-10,
          signal,
        } as const;
        const result = await train(x, y, options);
        const bound = result.dualBound?.value ?? 0;
        const { networkObjective, convexObjective, maxViolation } = result;
        rows.push([
          networkObjective / bound - 1,
          maxViolation,
          Math.abs(networkObjective - convexObjective),
          bound,
          networkObjective,
        ]);
        const shown = result.history.filter(({ iteration }) => iteration <= 2000);
        curves.push({
          name: `draw ${i + 1}`,
          x: shown.map(({ iteration }) => iteration),
          y: shown.map(({ objective }) => Math.abs(objective / networkObjective - 1)),
        });
        await onProgress((i + 1) / draws);
      }
      const worst = (column: number) => Math.max(...rows.map((row) => row[column]));
      const above = rows.filter(([, , , bound, objective]) => bound > objective + 1e-6).length;
      const [gap, violation, difference] = [worst(0), worst(1), worst(2)];
      return {
        measured: { "largest certified gap": gap, "largest violation": violation, "network - programme": difference },
        holds: gap <= 1e-3 && violation < 1e-6 && difference < 1e-6 && above === 0,
        detail:
          `On ${draws} draws of 12 samples with all 24 patterns the certified relative gap must be at most 1e-3 ` +
          `(${figure(gap)}), the violation (${figure(violation)}) and the difference of network and programme ` +
          `(${figure(difference)}) below 1e-6, and no certificate above the network (${above} were).`,
        series: [
          {
            kind: "line",
            title: "Programme's objective during ADMM, against the end",
            x: { label: "iteration" },
            y: { label: "relative difference", scale: "log" },
            curves,
          },
        ],
      };
    },
  };
}
