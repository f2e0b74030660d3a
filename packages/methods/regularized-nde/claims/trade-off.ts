import { type Claim, figure } from "@offprint/claims";
import type { Effort } from "@offprint/ode/testing";
import { ernode } from "./headline-ode.js";
import { type Method, regularizedNde } from "./method.js";

/** Weights from none to one that is larger than any would take, each annealed by ten. */
const ladder: readonly (0 | readonly [number, number])[] = [0, [10, 1], [100, 10], [1000, 100]];

/** The weight trades evaluations for accuracy. `effort` other than usual is for tests. */
export function tradeOff(method: Method = regularizedNde, effort?: Effort): Claim {
  return {
    id: "trade-off",
    statement: "The larger the weight of the error regulariser, the fewer evaluations a prediction takes",
    source: "Section 4, figure of evaluations by weight",
    paper: "decreasing",
    async run(context) {
      const rows: { weight: number; evaluations: number; accuracy: number }[] = [];
      for (const lambda of ladder) {
        const { evaluations, accuracy } = await ernode(context, method, lambda, 0, effort);
        rows.push({ weight: lambda === 0 ? 0 : lambda[0], evaluations, accuracy });
        await context.onProgress(rows.length / ladder.length);
      }
      const falling = rows.every(({ evaluations }, i) => i === 0 || evaluations <= rows[i - 1].evaluations);
      const part = rows[rows.length - 1].evaluations / rows[0].evaluations;
      return {
        measured: part,
        holds: falling && part <= 0.6,
        detail: `Evaluations must not rise from weight to weight, and end at .6 of those without one at most (${figure(part)}): ${rows.map(({ weight, evaluations, accuracy }) => `${weight}: ${evaluations}, accuracy ${figure(accuracy)}`).join("; ")}.`,
        series: [
          {
            kind: "line",
            title: "What a weight buys",
            x: { label: "evaluations to predict" },
            y: { label: "accuracy" },
            curves: [
              {
                name: "weights 0, 10, 100, 1000",
                x: rows.map(({ evaluations }) => evaluations),
                y: rows.map(({ accuracy }) => accuracy),
                style: "line-points",
              },
            ],
          },
        ],
        tables: [
          {
            title: "Digits",
            columns: ["weight at first", "evaluations to predict", "accuracy"],
            rows: rows.map(({ weight, evaluations, accuracy }) => [weight, evaluations, accuracy]),
          },
        ],
      };
    },
  };
}
