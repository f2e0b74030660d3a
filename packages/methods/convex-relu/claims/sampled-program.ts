import { type Claim, figure, medianOf } from "@offprint/claims";
import { trainConvex } from "../src/index.js";

import { BETA, optimumOf, smallProblem, type Trainer } from "./problems.js";

/** The lasso over random neurons is above the optimum and tends to it. */
export function sampledProgram(train: Trainer = trainConvex): Claim {
  return {
    id: "sampled-program",
    statement: "Training only the output layer of random neurons tends to the optimum as neurons are added, from above",
    source: "Theorem 4",
    paper: "the relaxation becomes tight with N",
    async run({ rng, scale, onProgress, signal }) {
      const sizes = scale === "full" ? [20, 100, 500, 2000] : [20, 500];
      const draws = scale === "full" ? 3 : 1;
      const gaps = sizes.map((): number[] => []);
      let below = 0;
      for (const [i, part] of rng.split(draws).entries()) {
        const [data, picks] = part.split(2);
        const problem = smallProblem(data);
        const exact = await optimumOf(trainConvex, problem, { signal });
        const bound = exact.dualBound?.value ?? Number.NaN;
        const seeds = picks.randint([3], { high: 2 ** 30 }).data();
        for (const seed of seeds) {
          for (const [s, samples] of sizes.entries()) {
            const { convexObjective } = await train(problem.x, problem.y, {
              loss: "squared",
              beta: BETA,
              method: "scp",
              scp: { samples },
              seed,
              maxIterations: 5000,
              tolerance: 1e-12,
              certify: false,
              signal,
            });
            if (!(convexObjective >= bound - 1e-9)) below++;
            gaps[s].push(convexObjective - bound);
          }
        }
        await onProgress((i + 1) / draws);
      }
      const medians = gaps.map(medianOf);
      const [few, many] = [medians[0], medians[sizes.indexOf(500)]];
      return {
        measured: Object.fromEntries(sizes.map((size, s) => [`N = ${size}`, medians[s]])),
        holds: below === 0 && many < 0.01 && many < 0.25 * few,
        detail:
          `On ${draws} draws with 3 samples each no value may be below the certificate (${below} were), and the median gap with 500 ` +
          `neurons must be below 0.01 and below a quarter of that with 20 (${figure(many)}, ${figure(few)}).`,
        series: [
          {
            kind: "line",
            title: "Gap of the sampled programme",
            x: { label: "neurons", scale: "log" },
            y: { label: "objective above the certificate", scale: "log" },
            curves: [{ name: `median of ${3 * draws}`, x: sizes, y: medians, style: "line-points" }],
          },
        ],
      };
    },
  };
}
