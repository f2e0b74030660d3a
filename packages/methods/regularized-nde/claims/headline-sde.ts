import { type Claim, type ClaimContext, figure, meanOf } from "@offprint/claims";
import type { Effort } from "@offprint/ode/testing";
import { trainSde } from "./digits.js";
import { judge, type Pair } from "./headline-ode.js";
import { type Method, regularizedNde } from "./method.js";

const efforts: Record<ClaimContext["scale"], { effort: Effort; runs: number; lambda: number }> = {
  quick: { effort: { train: 600, test: 300, batch: 30, epochs: 3 }, runs: 1, lambda: 30 },
  full: { effort: { train: 1200, test: 597, batch: 100, epochs: 6 }, runs: 2, lambda: 10 },
};

/** The same for stochastic equations. */
export function headlineSde(method: Method = regularizedNde): Claim {
  return {
    id: "neural-sde",
    statement: "With the error regulariser a neural SDE needs fewer evaluations, at nearly the same accuracy",
    source: "Table 3",
    paper: "fewer",
    async run({ scale, seed, signal, onProgress }) {
      const { effort, runs, lambda } = efforts[scale];
      const all: Pair[] = [];
      for (let run = 0; run < runs; run++) {
        const name = `${seed}/${run}`;
        const vanilla = await trainSde(method.fitSde, name, effort, { lambda: 0 }, signal);
        const regularized = await trainSde(method.fitSde, name, effort, { lambda }, signal);
        all.push({ vanilla, regularized });
        await onProgress((run + 1) / runs);
      }
      const ratio = meanOf(all.map(({ vanilla, regularized }) => regularized.evaluations / vanilla.evaluations));
      const [part, loss] = [0.8, 0.02];
      const mean = (of: (pair: Pair) => number) => figure(meanOf(all.map(of)));
      return {
        measured: ratio,
        holds: judge(all, part, loss),
        detail: `Evaluations must fall to ${part} at most (${figure(ratio)}), accuracy must not fall by more than ${loss} (from ${mean((p) => p.vanilla.accuracy)} to ${mean((p) => p.regularized.accuracy)}).`,
      };
    },
  };
}
