import { type Claim, figure } from "@offprint/claims";
import type { Tensor } from "@offprint/tensor-core";
import { type DesignRecord, designFigures } from "../src/index.js";
import { bib, type Method } from "./method.js";
import { average, fitted, PROBLEMS, type Size, sizeAt } from "./problems.js";

/** How many first and last steps are looked at. */
const ENDS = 20;

/** Told the truth by the auxiliary score, gamma goes to the mapping that serves. */
export function betterMapping(method: Method = bib, quick: Partial<Size> = {}): Claim {
  return {
    id: "gamma-finds-the-better-mapping",
    statement:
      "With a true auxiliary score gamma goes to the mapping that serves, whichever of the two losses it weighs",
    source: "Section 4.3, Algorithm 1",
    paper: "Adaptive-gamma finds the balance",
    async run(context) {
      const { designs, steps, problems: count } = sizeAt(context, { problems: 2, designs: 16, steps: 40, ...quick });
      const problems = PROBLEMS.slice(0, count);
      const rows: { first: number; last: number; swappedFirst: number; swappedLast: number }[] = [];
      let apart = 0;
      const curves: { name: string; x: number[]; y: number[] }[] = [];
      for (const k of problems) {
        const { land, model, fit } = await fitted(context, method, {
          k,
          rows: context.scale === "full" ? 2000 : 1000,
          pool: "flatten",
        });
        const { logits } = await method.designWith(fit, { starts: designs, steps: 0, seed: context.seed });
        const figures = designFigures(model, { auxiliary: (oneHot) => land.raw(oneHot) });
        const straight = await method.descendBalanced(logits, figures, fit.tensors, { steps, signal: context.signal });
        const swapped = await method.descendBalanced(
          logits,
          (x: Tensor, fittedTensors: typeof fit.tensors) => {
            const { forward, backward, ...rest } = figures(x, fittedTensors);
            return { ...rest, forward: backward, backward: forward };
          },
          fit.tensors,
          { steps, signal: context.signal },
        );
        const mean = (history: readonly DesignRecord[]) => average(history.map(({ gamma }) => average(gamma)));
        rows.push({
          first: mean(straight.history.slice(0, ENDS)),
          last: mean(straight.history.slice(-ENDS)),
          swappedFirst: mean(swapped.history.slice(0, ENDS)),
          swappedLast: mean(swapped.history.slice(-ENDS)),
        });
        for (const [i, { gamma }] of straight.history.entries()) {
          for (const [b, value] of gamma.entries()) {
            apart = Math.max(apart, Math.abs(value + swapped.history[i].gamma[b] - 1));
          }
        }
        for (const [name, { history }] of [["", straight] as const, [", swapped", swapped] as const]) {
          curves.push({
            name: `landscape ${k}${name}`,
            x: history.map(({ step }) => step),
            y: history.map(({ gamma }) => average(gamma)),
          });
        }
        await context.onProgress((k + 1) / problems.length);
      }
      const list = (key: keyof (typeof rows)[number]) => rows.map((row) => figure(row[key])).join(", ");
      return {
        measured: { gamma: Math.min(...rows.map(({ first }) => first)), "largest mirror error": apart },
        holds: rows.every(({ first, swappedFirst }) => first > 0.8 && swappedFirst < 0.2) && apart <= 1e-6,
        detail:
          `Over the first ${ENDS} steps the mean gamma must be above 0.8 (${list("first")}), with the losses swapped below 0.2 (${list("swappedFirst")}), and both must add up to 1 ` +
          `within 1e-6 at every step of every design (${figure(apart)}). Over the last ${ENDS} steps it is ${list("last")}, swapped ${list("swappedLast")}.`,
        series: [
          {
            kind: "line",
            title: "Mean gamma of the designs",
            x: { label: "step" },
            y: { label: "gamma" },
            curves,
          },
        ],
      };
    },
  };
}
