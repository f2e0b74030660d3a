import { type Claim, figure } from "@offprint/claims";
import { type random, type Tensor, tensor } from "@offprint/tensor-core";
import { type Method, planDistance, published } from "./method.js";

const SIZE = 5;
const MULTIPLES = [1.5, 3, 6];
/** Problems with a smaller gap are passed over: their eta would be above 2000. */
const MOST_ETA = 2000;

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, k) => permutations(items.filter((_, at) => at !== k)).map((rest) => [item, ...rest]));
}

/** All vertices of the polytope are permutations: the best, and the gap Delta to the second best, of mass-1 plans. */
function bestVertex(C: ArrayLike<number>): { plan: Tensor; gap: number } {
  const all = permutations(Array.from({ length: SIZE }, (_, i) => i))
    .map((columns) => ({ columns, cost: columns.reduce((sum, j, i) => sum + C[i * SIZE + j] / SIZE, 0) }))
    .sort((a, b) => a.cost - b.cost);
  const plan = new Float64Array(SIZE * SIZE);
  for (const [i, j] of all[0].columns.entries()) plan[i * SIZE + j] = 1 / SIZE;
  return { plan: tensor(plan, { shape: [SIZE, SIZE] }), gap: all[1].cost - all[0].cost };
}

function suitable(rng: random.Rng, count: number): { cost: Tensor; plan: Tensor; gap: number }[] {
  const found: { cost: Tensor; plan: Tensor; gap: number }[] = [];
  for (const part of rng.split(50 * count)) {
    const cost = part.uniform([SIZE, SIZE], { dtype: "float64" });
    const best = bestVertex(cost.data());
    if ((MULTIPLES[2] * (1 + 2 * Math.log(SIZE))) / best.gap <= MOST_ETA) found.push({ cost, ...best });
    if (found.length === count) break;
  }
  return found;
}

/** The regularised optimum lies exponentially close to the optimal face. */
export function distanceToOptimum(method: Method = published): Claim {
  return {
    id: "distance-to-optimum",
    statement: "The regularised plan is within 6 n^2 exp(-eta Delta) of the optimal one",
    source: "Theorem 1 (Weed 2018)",
    paper: "6 n^2 exp(-eta Delta)",
    async run({ rng, onProgress, scale }) {
      const problems = suitable(rng, scale === "full" ? 50 : 8);
      let largest = 0;
      const parts: number[] = [];
      for (const [k, { cost, plan, gap }] of problems.entries()) {
        for (const multiple of MULTIPLES) {
          const eta = (multiple * (1 + 2 * Math.log(SIZE))) / gap;
          const result = await method({ cost }, { eta, sinkhornIterations: 200, newtonIterations: 60 });
          const part = planDistance(result.plan, plan) / (6 * SIZE ** 2 * Math.exp(-eta * gap));
          parts.push(part);
          largest = Math.max(largest, part);
        }
        await onProgress((k + 1) / problems.length);
      }
      return {
        measured: { "largest part of the bound": largest },
        holds: problems.length >= 8 && largest <= 1,
        detail:
          `n = 5, all 120 vertices, ${problems.length} problems at three eta: ||P - P*||_1 must never exceed the bound ` +
          `(at most ${figure(largest)} of it).`,
        series: [
          {
            kind: "line",
            title: "Distance to the optimal plan, as a part of the bound",
            x: { label: "run" },
            y: { label: "part of the bound", scale: "log" },
            curves: [{ name: "part", y: parts, style: "points" }],
            references: [{ value: 1, label: "bound" }],
          },
        ],
      };
    },
  };
}
