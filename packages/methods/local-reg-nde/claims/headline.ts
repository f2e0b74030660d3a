import { type Claim, type ClaimContext, figure, meanOf } from "@offprint/claims";
import type { Outcome } from "@offprint/ode/testing";
import { type Effort, efforts, trained, type Variant } from "./digits.js";
import { localRegNde, type Method } from "./method.js";

/** Weights of the local term: a shorter training needs larger ones. */
export const weights: Record<ClaimContext["scale"], readonly [number, number]> = { quick: [400, 40], full: [300, 30] };

/** One run of each kind. */
export interface Trio {
  readonly vanilla: Outcome;
  readonly unbiased: Outcome;
  readonly biased: Outcome;
}

/** Whether both samplings save what is asked for, and recognise as much. */
export function judge(all: readonly Trio[], part: number, loss: number): boolean {
  return (["unbiased", "biased"] as const).every((mode) => {
    const ratio = meanOf(all.map((each) => each[mode].evaluations / each.vanilla.evaluations));
    const lost = meanOf(all.map((each) => each.vanilla.accuracy - each[mode].accuracy));
    return ratio <= part && lost <= loss;
  });
}

/** Prediction takes fewer evaluations with either sampling. `effort` other than usual is for tests. */
export function headline(method: Method = localRegNde, effort?: Effort): Claim {
  return {
    id: "evaluations",
    statement:
      "One local step penalised at a random time lowers the evaluations of a prediction, by either sampling, at the same accuracy",
    source: "Abstract",
    paper: "0.556 to 0.733",
    async run(context) {
      const { seed, scale, onProgress } = context;
      const chosen = effort ?? efforts[scale];
      const all: Trio[] = [];
      for (let run = 0; run < chosen.runs; run++) {
        const of = async (variant: Variant) => {
          const outcome = await trained(context, method, `${seed}/${run}`, chosen, variant);
          await onProgress((run + 0.5) / chosen.runs);
          return outcome;
        };
        all.push({
          vanilla: await of({ mode: "none" }),
          unbiased: await of({ mode: "unbiased", lambda: weights[scale] }),
          biased: await of({ mode: "biased", lambda: weights[scale] }),
        });
      }
      const [part, loss] = [0.6, 0.015];
      const ratio = (mode: "unbiased" | "biased") =>
        meanOf(all.map((each) => each[mode].evaluations / each.vanilla.evaluations));
      const row = (kind: keyof Trio) => [
        kind,
        meanOf(all.map((each) => each[kind].evaluations)),
        meanOf(all.map((each) => each[kind].accuracy)),
      ];
      return {
        measured: Math.max(ratio("unbiased"), ratio("biased")),
        holds: judge(all, part, loss),
        detail: `Evaluations must fall to ${part} at most, unbiased (${figure(ratio("unbiased"))}) and biased (${figure(ratio("biased"))}), with accuracy within ${loss} of ${figure(row("vanilla")[2] as number)}.`,
        tables: [
          {
            title: "Digits",
            columns: ["sampling", "evaluations to predict", "accuracy"],
            rows: [row("vanilla"), row("unbiased"), row("biased")],
          },
        ],
      };
    },
  };
}
