import { type Claim, figure, medianOf } from "@offprint/claims";
import { trainBackprop, trainConvex } from "../src/index.js";
import { BETA, optimumOf, smallProblem, type Trainer } from "./problems.js";

/** Adam from several starts never gets below the certificate, and small networks get stuck above it. */
export function globalAgainstLocal(train: Trainer = trainConvex, count = 2, steps = 3000): Claim {
  return {
    id: "global-against-local",
    statement: "Back-propagation ends in local optima of small networks, above the convex optimum and never below it",
    source: "Section 1",
    paper: "SGD and Adam can stop in bad local minima",
    async run({ rng, scale, onProgress, signal }) {
      const draws = scale === "full" ? 4 : count;
      const starts = 6;
      const gaps: Record<4 | 20, number[]> = { 4: [], 20: [] };
      let below = 0;
      const parts = rng.split(2 * draws);
      for (let i = 0; i < draws; i++) {
        const problem = smallProblem(parts[i]);
        const exact = await optimumOf(train, problem, { signal });
        const bound = exact.dualBound?.value ?? Number.NaN;
        const seeds = parts[draws + i].randint([starts], { high: 2 ** 30 }).data();
        for (const width of [4, 20] as const) {
          for (let s = 0; s < (width === 4 || scale === "full" ? starts : 2); s++) {
            const { history } = await trainBackprop(problem.x, problem.y, {
              loss: "squared",
              beta: BETA,
              width,
              steps,
              learningRate: 0.01,
              seed: seeds[s],
            });
            const end = Math.min(...history.map(({ objective }) => objective));
            if (!(end >= bound - 1e-6)) below++;
            gaps[width].push(end - exact.networkObjective);
          }
          await onProgress((2 * i + (width === 4 ? 1 : 2)) / (2 * draws));
        }
      }
      const [small, large] = [Math.max(...gaps[4]), medianOf(gaps[20])];
      return {
        measured: { "worst end, 4 neurons": small, "median end, 20 neurons": large },
        holds: below === 0 && small > 0.02,
        detail:
          `On ${draws} draws no run of Adam may get below the certificate less 1e-6 (${below} did), and with 4 neurons some ` +
          `start must end more than 0.02 above the optimum (${figure(small)}). With 20 neurons the median is ${figure(large)}.`,
        series: [
          {
            kind: "line",
            title: "Where runs of Adam end, above the convex optimum",
            x: { label: "run, sorted" },
            y: { label: "objective above the optimum" },
            curves: ([4, 20] as const).map((width) => ({
              name: `${width} neurons`,
              y: [...gaps[width]].sort((a, b) => a - b),
              style: "line-points" as const,
            })),
          },
        ],
      };
    },
  };
}
