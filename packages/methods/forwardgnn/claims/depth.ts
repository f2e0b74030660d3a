import { type Claim, meanOf } from "@offprint/claims";
import { fitNodeClassifier } from "../src/index.js";
import { depthTask } from "./block-models.js";
import { type Fit, percent, testAccuracies } from "./trained.js";

/** Mean test accuracies by method and depth. */
export interface DepthAccuracies {
  readonly sf: readonly [shallow: number, deep: number];
  readonly bp: readonly [shallow: number, deep: number];
}

/** Single forward keeps its accuracy with depth, backpropagation does not. */
export function judgeDepth({ sf, bp }: DepthAccuracies): boolean {
  return sf[1] >= 0.82 && sf[1] - bp[1] >= 0.15 && sf[0] - sf[1] <= 0.08 && Math.abs(sf[0] - bp[0]) <= 0.05;
}

/** Deep networks learn layer by layer where end-to-end training fails. */
export function depth(train: Fit = fitNodeClassifier, runs = 4): Claim {
  return {
    id: "depth",
    statement: "A deep network learns layer by layer, where backpropagation through it fails",
    source: "Table 1 and Section 4 (deeper networks)",
    paper: "SF 87.95 -> 88.48 %, BP 86.84 -> 86.61 % (GCN, CoraML, 2 -> 4 layers)",
    async run(context) {
      const depths = context.scale === "full" ? [2, 4, 6, 8, 12] : [2, 8];
      const rows = { sf: [] as number[][], bp: [] as number[][] };
      const count = context.scale === "full" ? 3 * runs : runs;
      for (let run = 0; run < count; run++) {
        const task = depthTask(context.seed, run);
        for (const method of ["sf", "bp"] as const) {
          const options = { hidden: 32, learningRate: 1e-2, validateEvery: 5, patience: 15, epochs: 150, seed: run };
          rows[method].push(await testAccuracies(context, train, task, method, options, depths));
          await context.onProgress((run + (method === "sf" ? 0.3 : 1)) / count, `graph ${run + 1} of ${count}`);
        }
      }
      const curve = (method: "sf" | "bp") => depths.map((_, k) => meanOf(rows[method].map((row) => row[k])));
      const [sf, bp] = [curve("sf"), curve("bp")];
      const deep = depths.indexOf(8);
      const accuracies: DepthAccuracies = { sf: [sf[0], sf[deep]], bp: [bp[0], bp[deep]] };
      return {
        measured: {
          "SF, 2 layers": sf[0],
          "SF, 8 layers": sf[deep],
          "BP, 2 layers": bp[0],
          "BP, 8 layers": bp[deep],
        },
        holds: judgeDepth(accuracies),
        detail:
          `Mean of ${count} block-model graphs, GCN: SF with 8 layers must reach 82 % (${percent(sf[deep])}), be 15 points ` +
          `above BP (${percent(bp[deep])}) and at most 8 below its own 2 layers (${percent(sf[0])}); with 2 layers SF and ` +
          `BP (${percent(bp[0])}) must be within 5 points.`,
        series: [
          {
            kind: "line",
            title: "Test accuracy by depth",
            x: { label: "layers" },
            y: { label: "accuracy" },
            curves: [
              { name: "single forward", x: depths, y: sf, style: "line-points" },
              { name: "backpropagation", x: depths, y: bp, style: "line-points" },
            ],
          },
        ],
      };
    },
  };
}
