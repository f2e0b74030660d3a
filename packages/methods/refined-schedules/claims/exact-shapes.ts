import { type Claim, figure } from "@offprint/claims";
import { schedules } from "../src/index.js";
import { atPercent, type Method, published } from "./method.js";
import { normProfile } from "./norm-profile.js";

const PERCENTAGES = [1, 5, 10, 25, 50, 75, 90];

/** Multipliers of an independent computation in NumPy, by the norm at the end of the run. */
const EXPECTED: Readonly<Record<number, readonly number[]>> = {
  1: [0.0188, 0.2598, 0.8441, 0.875, 0.5831, 0.2913, 0.1162],
  2: [0.0211, 0.2913, 0.906, 0.6026, 0.2116, 0.0624, 0.0189],
  0.7: [0.0178, 0.2474, 0.8147, 0.9796, 0.8599, 0.5817, 0.2826],
};

/** Constant norms give linear decay; falling ones warm-up, rising ones faster annealing. */
export function exactShapes(method: Method = published): Claim {
  return {
    id: "exact-shapes",
    statement:
      "Refinement gives linear decay for constant norms, warm-up for falling and faster annealing for rising ones",
    source: "Section 3 and figure 1",
    paper: "linear; warm-up, then linear, faster or slower annealing",
    run() {
      let fromLinear = 0;
      for (const T of [2, 3, 10, 101, 1000]) {
        const { multipliers } = method.refineSchedule(new Float64Array(T).fill(3));
        multipliers.forEach((m, t) => {
          fromLinear = Math.max(fromLinear, Math.abs(m - (T - 1 - t) / (T - 1)));
        });
      }
      const ends = [1, 2, 0.7];
      const shapes = ends.map((end) => method.refineSchedule(normProfile(end), { tau: 0 }));
      const read = shapes.map(({ multipliers }) => PERCENTAGES.map((percent) => atPercent(multipliers, percent)));
      const worst = Math.max(...read.flatMap((row, i) => row.map((m, j) => Math.abs(m - EXPECTED[ends[i]][j]))));
      const peak = (100 * shapes[0].peakIndex) / shapes[0].multipliers.length;
      return {
        measured: { "from linear": fromLinear, "from the computed shapes": worst, "peak at %": peak },
        holds: fromLinear <= 1e-12 && worst <= 2e-3 && Math.abs(peak - 13.5) <= 0.5,
        detail:
          `Constant norms must give (T-1-t)/(T-1) to 1e-12 (off by ${figure(fromLinear)}), three profiles the multipliers of ` +
          `an independent computation to 2e-3 (off by ${figure(worst)}), with the peak at 13.5 % (${figure(peak)} %).`,
        series: [
          {
            kind: "line",
            title: "Refined schedules for three profiles of gradient norms",
            x: { label: "part of the run", unit: "%" },
            y: { label: "multiplier" },
            curves: [
              ...shapes.map(({ multipliers }, i) => ({
                name: `norms end at ${ends[i]}`,
                x: Array.from(multipliers, (_, t) => (100 * t) / multipliers.length),
                y: multipliers,
              })),
              { name: "linear decay", x: [0, 100], y: [1, 0] },
            ],
          },
        ],
      };
    },
  };
}

/** Part C: the closed form is the minimum, and what it is worth. */
export function optimality(method: Method = published): Claim {
  const draws = { quick: 10_000, full: 200_000 };
  return {
    id: "optimal-weights",
    statement: "Weights in proportion to 1/G^2 minimise the guarantee of the last iterate",
    source: "Section 3, theorem and corollary on optimal weights",
    paper: "w_t ~ G_t^-2",
    async run({ rng, scale, onProgress }) {
      const profiles = [new Float64Array(2000).fill(1), ...[1, 2, 0.7].map(normProfile)];
      const root = Math.sqrt(2000);
      const own = profiles.map((norms) => {
        const { weights } = method.optimalWeights(norms, 1);
        return method.weightedBound(weights, norms, 1) * root;
      });
      const linear = profiles.map((norms) => method.refineSchedule(norms, { tau: 0 }).linearBound * root);
      const expected = [
        [1, 1.0386, 1.448, 0.8728],
        [1, 1.6117, 1.9488, 1.5344],
      ];
      const off = Math.max(
        ...own.map((value, i) => Math.abs(value - expected[0][i])),
        ...linear.map((value, i) => Math.abs(value - expected[1][i])),
      );
      const norms = rng.uniform([50], { low: 0.1, high: 5, dtype: "float64" }).data() as Float64Array;
      const { weights } = method.optimalWeights(norms, 1);
      const least = method.weightedBound(weights, norms, 1);
      let nearest = Infinity;
      for (let i = 0; i < draws[scale]; i++) {
        const spread = 10 ** (-3 * rng.uniform([], { dtype: "float64" }).item());
        const noise = rng.normal([50], { std: spread, dtype: "float64" }).data();
        const other = weights.map((w, t) => w * Math.exp(noise[t]));
        nearest = Math.min(nearest, method.weightedBound(other, norms, 1) / least);
        if (i % 1000 === 0) await onProgress(i / draws[scale]);
      }
      return {
        measured: { "bound * sqrt T": own.map((v) => figure(v, 5)).join(", "), "nearest other / own": nearest },
        holds: off <= 2e-3 && nearest >= 1,
        detail:
          `For constant norms and three profiles the bound times sqrt T must be 1, 1.0386, 1.4480, 0.8728, and that of linear ` +
          `decay 1, 1.6117, 1.9488, 1.5344 (off by at most ${figure(off)}); none of ${draws[scale]} random weights may do ` +
          `better (the nearest has ${figure(nearest, 8)} times the bound).`,
      };
    },
  };
}

/** Part F beside part D where the answer is known. */
export function numericalRefinement(method: Method = published): Claim {
  return {
    id: "numerical-refinement",
    statement: "For constant norms the step sizes that minimise the general bound are a linear decay again",
    source: "Section 3, second refinement",
    paper: "linear decay",
    async run() {
      const [short, long] = await Promise.all(
        [20, 100].map((T) => method.optimizeSchedule(new Float64Array(T).fill(1), 1)),
      );
      const values = [short.bound * Math.sqrt(20), long.bound * 10];
      const shape = [25, 50, 75].map((percent) => long.stepSizes[percent] / Math.max(...long.stepSizes));
      const scaledLinear = [20, 100].map((T) => {
        const norms = new Float64Array(T).fill(1);
        const bounds = Array.from({ length: 400 }, (_, i) => {
          const peak = (0.05 * 1.01 ** i) / Math.sqrt(T);
          return method.lastIterateBound(
            schedules.linear(T).map((m) => peak * m),
            norms,
            1,
          ).value;
        });
        return Math.min(...bounds) * Math.sqrt(T);
      });
      const off = Math.max(Math.abs(values[0] - 1.9331), Math.abs(values[1] - 2.0011));
      const offShape = Math.max(...shape.map((m, i) => Math.abs(m - [0.75, 0.501, 0.255][i])));
      const offLinear = Math.max(Math.abs(scaledLinear[0] - 2.0952), Math.abs(scaledLinear[1] - 2.0361));
      return {
        measured: { "sqrt T * B, T = 20": values[0], "T = 100": values[1], "at 50 %": shape[1] },
        holds: off <= 5e-4 && offShape <= 0.01 && offLinear <= 1e-3,
        detail:
          `The minimum of sqrt T * B must be 1.9331 (T = 20) and 2.0011 (T = 100) to 5e-4 (off by ${figure(off)}), below the ` +
          `best scaled linear decay, 2.0952 and 2.0361 (off by ${figure(offLinear)}); at 25, 50 and 75 % the step size over its ` +
          `peak must be .750, .501, .255 to 0.01 (off by ${figure(offShape)}).`,
        series: [
          {
            kind: "line",
            title: "Step sizes that minimise the bound, constant norms, T = 100",
            x: { label: "step" },
            y: { label: "step size over its peak" },
            // The last entry does not move the last iterate.
            curves: [
              { name: "numerical minimum", y: long.multipliers.slice(0, -1) },
              { name: "linear decay", y: schedules.linear(100).slice(0, -1) },
            ],
          },
        ],
      };
    },
  };
}
