import { type Claim, type ClaimContext, figure, meanOf, memo } from "@offprint/claims";
import type { Effort } from "@offprint/ode/testing";
import { type Trained, trainOde } from "./digits.js";
import { type Method, regularizedNde } from "./method.js";

/** Sizes of the experiment. */
const efforts: Record<ClaimContext["scale"], { effort: Effort; runs: number }> = {
  quick: { effort: { train: 600, test: 597, batch: 20, epochs: 4 }, runs: 1 },
  full: { effort: { train: 1200, test: 597, batch: 100, epochs: 14 }, runs: 2 },
};

/** Weights of the error regulariser, from the first to the last epoch. */
const weights = [300, 30] as const;

/** A pair of trainings that differ in the regulariser alone. */
export interface Pair {
  readonly vanilla: Trained;
  readonly regularized: Trained;
}

/** One training, with a weight from the first to the last epoch; once for all claims that look at it. */
export const ernode = memo(
  (
    { seed, scale, signal }: ClaimContext,
    method: Method,
    lambda: number | readonly [number, number],
    run: number,
    effort?: Effort,
  ): Promise<Trained> => trainOde(method.fitOde, `${seed}/${run}`, effort ?? efforts[scale].effort, { lambda }, signal),
  (method, lambda, run, effort) => [method, JSON.stringify(lambda), run, JSON.stringify(effort)],
);

async function pairs(context: ClaimContext, method: Method, effort?: Effort): Promise<Pair[]> {
  const { scale, onProgress } = context;
  const { runs } = efforts[scale];
  const all: Pair[] = [];
  for (let run = 0; run < runs; run++) {
    const vanilla = await ernode(context, method, 0, run, effort);
    await onProgress((run + 0.5) / runs);
    all.push({ vanilla, regularized: await ernode(context, method, weights, run, effort) });
    await onProgress((run + 1) / runs);
  }
  return all;
}

/** Whether a regularised model is cheaper by the part that is asked for, and as good. */
export function judge(all: readonly Pair[], part: number, loss: number): boolean {
  const ratio = meanOf(all.map(({ vanilla, regularized }) => regularized.evaluations / vanilla.evaluations));
  const lost = meanOf(all.map(({ vanilla, regularized }) => vanilla.accuracy - regularized.accuracy));
  const trained = all.every(
    ({ vanilla, regularized }) => regularized.trainingEvaluations < vanilla.trainingEvaluations,
  );
  return ratio <= part && lost <= loss && trained;
}

/** Prediction takes fewer evaluations, training too, accuracy stays. `effort` other than usual is for tests. */
export function headlineOde(method: Method = regularizedNde, effort?: Effort): Claim {
  return {
    id: "neural-ode",
    statement:
      "With the error regulariser a neural ODE needs far fewer evaluations to predict and to train, at the same accuracy",
    source: "Table 1",
    paper: "177 of 253",
    async run(context) {
      const all = await pairs(context, method, effort);
      const [part, loss] = [0.6, 0.015];
      const ratio = meanOf(all.map(({ vanilla, regularized }) => regularized.evaluations / vanilla.evaluations));
      const row = (name: string, of: (pair: Pair) => Trained) => {
        const each = all.map(of);
        return [
          name,
          meanOf(each.map((r) => r.evaluations)),
          meanOf(each.map((r) => r.trainingEvaluations)),
          meanOf(each.map((r) => r.accuracy)),
        ];
      };
      const [vanilla, regularized] = [row("vanilla", (p) => p.vanilla), row("ERNODE", (p) => p.regularized)];
      return {
        measured: ratio,
        holds: judge(all, part, loss),
        detail: `Evaluations to predict must fall to ${part} at most (${figure(ratio)}), those to train must fall, accuracy must not fall by more than ${loss} (from ${figure(vanilla[3] as number)} to ${figure(regularized[3] as number)}).`,
        tables: [
          {
            title: "Digits",
            columns: ["model", "evaluations to predict", "to train", "accuracy"],
            rows: [vanilla, regularized],
          },
        ],
      };
    },
  };
}
