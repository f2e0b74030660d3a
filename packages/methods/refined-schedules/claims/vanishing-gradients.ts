import { type Claim, figure, medianOf } from "@offprint/claims";
import { digits } from "@offprint/datasets";
import { schedules } from "../src/index.js";
import { type Method, published } from "./method.js";
import { bestRate, drawnOrder, standardised } from "./softmax-regression.js";

const [T, BATCH] = [2000, 32];
/** 2^k for k from -6 to 6. */
const RATES = Array.from({ length: 13 }, (_, i) => 2 ** (i - 6));

/** The limit that the authors name: where the training loss goes to zero, so do the norms, and refinement is of no use. */
export function vanishingGradients(method: Method = published, seeds = { quick: 1, full: 9 }): Claim {
  return {
    id: "limit-vanishing-gradients",
    statement:
      "Where the training loss goes to zero the norms collapse and refinement is not useful, which the package says",
    source: "Section 5, limitations",
    paper: "not useful",
    async run({ rng, scale, onProgress }) {
      const problem = standardised(digits({ dtype: "float64" }), 10);
      const orders = rng.split(seeds[scale]).map((own) => drawnOrder(own, problem.samples, T * BATCH));
      // The typical run: at large rates one in five ends at a wrong sample, and their mean would shun the rates that win.
      const lossAt = (multipliers: (seed: number) => Float64Array, rate: number) =>
        medianOf(orders.map((order, i) => problem.loss(problem.descend(multipliers(i), rate, order))));
      const decay = schedules.linear(T);
      const linear = bestRate(RATES, (rate) => lossAt(() => decay, rate), RATES.length - 1);
      await onProgress(0.5);
      const refined = orders.map((order) => method.refineSchedule(problem.norms(decay, linear.rate, order).l2));
      const own = bestRate(RATES, (rate) => lossAt((i) => refined[i].multipliers, rate), linear.place);
      const warned = refined.every(({ warnings }) => warnings.some((text) => text.includes("vanish")));
      const ratio = own.value / linear.value;
      return {
        measured: { linear: linear.value, refined: own.value },
        holds: ratio >= 10 && warned,
        detail:
          `Softmax regression on 8x8 digits, which separate, runs: ${seeds[scale]}. The median training loss after the refined schedule must be at least ` +
          `ten times that after linear decay (${figure(ratio)} times), and every refined schedule must carry the warning ` +
          `(${warned ? "it does" : "it does not"}).`,
      };
    },
  };
}
