import { type Claim, figure, processorSeconds } from "@offprint/claims";
import { random, tensor } from "@offprint/tensor-core";
import { initialState } from "../src/admm-state.js";
import { designOf } from "../src/design.js";
import { ExactAdmm } from "../src/exact-admm.js";
import { samplePatterns, trainConvex } from "../src/index.js";
import { PatternOperator } from "../src/pattern-operator.js";
import type { Trainer } from "./problems.js";

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

/** Milliseconds per iteration, for each number of samples. */
type IterationClock = (sizes: readonly number[]) => Promise<number[]>;

/**
 * Times the iterations themselves, without the factorisation: stretches of equal length, sizes in turn, and of each size
 * the least, as other work on the machine can only add to it.
 */
function iterationClock(rounds: number): IterationClock {
  return async (sizes) => {
    const least = sizes.map(() => Infinity);
    const runs = sizes.map((n) => {
      const { x, y } = dataOf(random.rng(n), n);
      const operator = new PatternOperator(designOf("clock", x, true), samplePatterns(x, { count: n / 5, seed: n }));
      const state = initialState(operator.P, n, operator.d, 0.4);
      return new ExactAdmm(operator, "squared", y.data() as Float64Array, 0.1, 1, state);
    });
    for (let round = 0; round < rounds; round++) {
      for (const [i, run] of runs.entries()) {
        const count = Math.max(1, Math.round((sizes[sizes.length - 1] / sizes[i]) ** 2));
        const start = processorSeconds();
        for (let k = 0; k < count; k++) run.step();
        least[i] = Math.min(least[i], (1e3 * (processorSeconds() - start)) / count);
      }
    }
    return least;
  };
}

/** An iteration grows like n^2, and twenty of them come near the end. */
export function iterationCost(train: Trainer = trainConvex, clock?: IterationClock): Claim {
  return {
    id: "quadratic-iterations",
    statement:
      "The cost of an ADMM iteration is quadratic in the number of samples, and twenty iterations come near the optimum",
    source: "Section 4, Table 1",
    paper: "O(n^2) per iteration; tens of iterations",
    async run({ rng, scale, onProgress, signal }) {
      const measure = clock ?? iterationClock(scale === "full" ? 400 : 80);
      const times = await measure(SIZES);
      await onProgress(0.7);
      const slope = Math.log(times[2] / times[0]) / Math.log(SIZES[2] / SIZES[0]);
      const ratios: number[] = [];
      const parts = rng.split(3);
      for (const [i, count] of [8, 16, 32].entries()) {
        const { x, y } = dataOf(parts[i], 40);
        const patterns = samplePatterns(x, { count, seed: count });
        const options = { loss: "squared", beta: 0.1, patterns, certify: false, tolerance: 1e-5, signal } as const;
        const early = await train(x, y, { ...options, maxIterations: 20 });
        const late = await train(x, y, { ...options, maxIterations: 1500 });
        ratios.push(early.convexObjective / late.convexObjective);
      }
      const ratio = Math.max(...ratios);
      return {
        measured: { "log-log slope": slope, "objective after 20 iterations, to the end": ratio },
        holds: slope >= 1.5 && slope <= 2.3 && ratio <= 1.5,
        detail:
          `With d = 5 and n/5 patterns the time per iteration must grow with a slope of 1.5 to 2.3 between n = 100 and 400 ` +
          `(${figure(slope)}; ${times.map((t) => `${figure(t)} ms`).join(", ")}), and iteration 20 must be within 1.5 times the ` +
          `final objective (${ratios.map((value) => figure(value)).join(", ")}).`,
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
