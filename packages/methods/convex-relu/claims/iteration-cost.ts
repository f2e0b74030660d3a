import type { Claim } from "@offprint/claims";
import { random, tensor } from "@offprint/tensor-core";
import { samplePatterns, trainConvex } from "../src/index.js";
import { figure, type Trainer } from "./problems.js";

const SIZES = [100, 200, 400];
const FEATURES = 4;

/** Data with d = 5 columns, that of ones included. */
function dataOf(rng: random.Rng, n: number) {
  const [inputs, noise] = rng.split(2);
  const x = inputs.normal([n, FEATURES], { dtype: "float64" });
  const e = noise.normal([n], { dtype: "float64" }).data();
  const y = Float64Array.from(e, (value, k) => Math.sin(2 * x.data()[k * FEATURES]) + 0.1 * value);
  return { x, y: tensor(y) };
}

/** Milliseconds per iteration, the least of several runs: the difference of a long and a short one, free of the set-up. */
export type IterationClock = (n: number) => Promise<number>;

/** The clock of a trainer. */
export function clockOf(train: Trainer, repeats: number): IterationClock {
  return async (n) => {
    const { x, y } = dataOf(random.rng(n), n);
    const patterns = samplePatterns(x, { count: n / 5, seed: n });
    const options = { loss: "squared", beta: 0.1, patterns, rho: 0.4, certify: false, tol: 1e-300 } as const;
    const long = Math.max(15, Math.round(2e6 / (n * n)));
    let least = Infinity;
    for (let repeat = 0; repeat < repeats; repeat++) {
      const times: number[] = [];
      for (const maxIter of [5, 5 + long]) {
        const start = performance.now();
        await train(x, y, { ...options, maxIter });
        times.push(performance.now() - start);
      }
      least = Math.min(least, (times[1] - times[0]) / long);
    }
    return least;
  };
}

/** An iteration grows like n^2, and twenty of them come near the end. */
export function iterationCost(train: Trainer = trainConvex, clock?: IterationClock): Claim {
  return {
    id: "quadratic-iterations",
    statement: "The cost of an ADMM iteration is quadratic in the number of samples, and twenty iterations come near the optimum",
    source: "Section 4, Table 1",
    paper: "O(n^2) per iteration; tens of iterations",
    async run({ rng, scale, onProgress, signal }) {
      const measure = clock ?? clockOf(train, scale === "full" ? 7 : 4);
      const times: number[] = [];
      for (const [i, n] of SIZES.entries()) {
        times.push(await measure(n));
        await onProgress((i + 1) / (SIZES.length + 1));
      }
      const slope = Math.log(times[2] / times[0]) / Math.log(SIZES[2] / SIZES[0]);
      const ratios: number[] = [];
      const parts = rng.split(3);
      for (const [i, count] of [8, 16, 32].entries()) {
        const { x, y } = dataOf(parts[i], 40);
        const patterns = samplePatterns(x, { count, seed: count });
        const options = { loss: "squared", beta: 0.1, patterns, rho: 0.4, certify: false, tol: 1e-6, signal } as const;
        const early = await train(x, y, { ...options, maxIter: 20 });
        const late = await train(x, y, { ...options, maxIter: 4000 });
        ratios.push(early.convexObjective / late.convexObjective);
      }
      const ratio = Math.max(...ratios);
      return {
        measured: { "log-log slope": slope, "objective after 20 iterations, to the end": ratio },
        holds: slope >= 1.5 && slope <= 2.3 && ratio <= 1.5,
        detail:
          `With d = 5 and n/5 patterns the time per iteration must grow with a slope of 1.5 to 2.3 between n = 100 and 400 ` +
          `(${figure(slope)}; ${times.map((t) => `${figure(t)} ms`).join(", ")}), and iteration 20 must be within 1.5 times the ` +
          `final objective (${ratios.map(figure).join(", ")}).`,
        series: [
          {
            kind: "line",
            title: "Time per iteration",
            x: { label: "samples", scale: "log" },
            y: { label: "time", unit: "ms", scale: "log" },
            curves: [{ name: "ADMM", x: SIZES, y: times, style: "line-points" }],
          },
        ],
      };
    },
  };
}
