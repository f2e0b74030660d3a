import { type Claim, figure } from "@offprint/claims";
import { boRun, type Method, published } from "./method.js";
import { braninCurrin } from "./problems.js";

const PROBLEM = braninCurrin();

/** Expected hypervolume improvement on two objectives. */
export function severalObjectives(method: Method = published): Claim {
  return {
    id: "several-objectives",
    statement:
      "With one process for each objective and expected hypervolume improvement a front is found that even points miss",
    source: "Section 5.2, Figure 4",
    paper: "dominated hypervolume above random search (curves)",
    async run(context) {
      const full = context.scale === "full";
      const size = { initialTrials: 10, batch: 2, batches: full ? 8 : 6 };
      const least = full ? 40 : 37;
      const trials = full ? 3 : 1;
      const found: number[] = [];
      const even: number[] = [];
      for (let k = 0; k < trials; k++) {
        found.push((await boRun(context, method, PROBLEM, method.gp(), size, k))[size.batches]);
        even.push((await boRun(context, method, PROBLEM, null, size, k))[size.batches]);
      }
      return {
        measured: { hypervolume: Math.min(...found), "even points": Math.max(...even) },
        holds: found.every((v, k) => v >= least && v > even[k]),
        detail:
          `Branin and Currin, ${size.batches} batches of 2: dominated hypervolume at least ${least} of 59.36 and above that of as many even points in every run ` +
          `(${found.map((v, k) => `${figure(v)} beside ${figure(even[k])}`).join(", ")}).`,
      };
    },
  };
}
