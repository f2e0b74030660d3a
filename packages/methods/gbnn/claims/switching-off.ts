import { type Claim, figure, meanOf } from "@offprint/claims";
import { predictNumbers, stagedScore } from "../src/index.js";
import { testAccuracy } from "./classification.js";
import { cancerNetwork, fitNumbers, gbnn, type Method, SPLITS } from "./method.js";
import { friedman } from "./problems.js";

/** Splits of networks with 240 units. */
const WIDE = { quick: 2, full: 3 } as const;

/** Whether mean scores, and the difference between a prefix and a shorter run, bear the claim out. */
export function judgeSwitchingOff(
  cancer: readonly [number, number],
  numbers: readonly [number, number],
  prefix: number,
): boolean {
  return cancer[1] >= cancer[0] - 0.015 && numbers[1] > numbers[0] - 0.05 && prefix <= 1e-12;
}

/** The last units can be switched off. */
export function switchingOff(method: Method = gbnn, fixedSplits?: number, fixedWide?: number): Claim {
  return {
    id: "switching-off",
    statement: "Most of the last units can be switched off at little cost",
    source: "Section V, switching off units",
    paper: "large shares can be dropped with no significant loss",
    async run(context) {
      const splits = fixedSplits ?? SPLITS[context.scale];
      const wide = fixedWide ?? WIDE[context.scale];
      const cancer: [number[], number[]] = [[], []];
      for (let k = 0; k < splits; k++) {
        const { problem, model } = await cancerNetwork(context, method, context.seed * splits + k);
        cancer[0].push(testAccuracy(problem, model));
        cancer[1].push(testAccuracy(problem, model, Math.round(0.25 * model.blocks.length)));
        await context.onProgress(((k + 1) / splits) * 0.3, "breast cancer");
      }
      const staged: Float64Array[] = [];
      let prefix = 0;
      for (let k = 0; k < wide; k++) {
        const seed = context.seed * wide + k;
        const problem = friedman(seed);
        const { model } = await fitNumbers(method, problem, seed, { totalUnits: 240 });
        if (k === 0) {
          const { model: shorter } = await fitNumbers(method, problem, seed, { totalUnits: 120 });
          const kept = predictNumbers(model, problem.testInputs, { keepBlocks: 40 }).data();
          const own = predictNumbers(shorter, problem.testInputs).data();
          for (let i = 0; i < kept.length; i++) prefix = Math.max(prefix, Math.abs(kept[i] - own[i]));
        }
        staged.push(stagedScore(model, problem.testInputs, problem.testTargets));
        await context.onProgress(0.3 + ((k + 1) / wide) * 0.7, "Friedman");
      }
      const curve = staged[0].map((_, t) => meanOf(staged.map((scores) => scores[t])));
      const means = cancer.map(meanOf) as [number, number];
      const numbers = [curve[80], curve[40]] as const;
      return {
        measured: {
          "cancer: all": means[0],
          "a quarter": means[1],
          "Friedman: all": numbers[0],
          "one half": numbers[1],
        },
        holds: judgeSwitchingOff(means, numbers, prefix),
        detail:
          `A quarter of the blocks: accuracy ${figure(means[1])} of ${figure(means[0])} on breast cancer (to lose at most 0.015); half of them: R^2 ${figure(numbers[1])} of ` +
          `${figure(numbers[0])} on Friedman's function with 240 units (to lose less than 0.05). On the first split half of the network differs from the network trained with half of the units by ${prefix.toExponential(1)} (at most 1e-12).`,
        series: [
          {
            kind: "line",
            title: `R^2 on test samples by the number of blocks that are on, mean of ${wide} splits`,
            x: { label: "blocks of 3 units" },
            y: { label: "R^2" },
            curves: [{ name: "boosted", y: curve }],
          },
        ],
      };
    },
  };
}
