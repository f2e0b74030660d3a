import { type Claim, figure } from "@offprint/claims";
import { random } from "@offprint/tensor-core";
import { type Patterns, patternBound, samplePatterns, trainConvex } from "../src/index.js";
import { optimumOf, type SmallProblem, smallProblem, type Trainer } from "./problems.js";

const SIZES = [2, 4, 8, 16, 24];
const PSI = 0.2;
const XI = 0.1;

/** More patterns never raise the optimum, all reach it, and the bound on the draws keeps its promise. */
export function sampledPatterns(train: Trainer = trainConvex): Claim {
  return {
    id: "sampled-patterns",
    statement: "A few random patterns come near the optimum, and the number of draws that the bound asks for suffices",
    source: "Theorem 3",
    paper: `another pattern helps with probability <= ${PSI}`,
    async run({ rng, scale, onProgress, signal }) {
      const draws = scale === "full" ? 4 : 1;
      const needed = patternBound(12, PSI, XI);
      const gaps: number[][] = [];
      const shares: number[] = [];
      let increases = 0;
      let last = 0;
      for (const [i, part] of rng.split(draws).entries()) {
        const [data, picks] = part.split(2);
        const problem = smallProblem(data);
        const seed = Number(picks.randint([1], { high: 2 ** 30 }).data()[0]);
        const order = samplePatterns(problem.x, { count: 24, seed, maxDraws: 100_000 }).D;
        const values: number[] = [];
        for (const size of SIZES) {
          const patterns = subset(order.slice(0, size));
          const { networkObjective } = await optimumOf(train, { ...problem, patterns }, { certify: false, signal });
          values.push(networkObjective);
        }
        const exact = await optimumOf(train, problem, { signal });
        gaps.push(values.map((value) => value - exact.networkObjective));
        for (let k = 1; k < values.length; k++) if (values[k] > values[k - 1] + 1e-4) increases++;
        last = Math.max(last, Math.abs(gaps[i][SIZES.length - 1]));
        shares.push(await shareThatHelps(train, problem, needed, seed, signal));
        await onProgress((i + 1) / draws);
      }
      const [share, first] = [Math.max(...shares), Math.max(...gaps.map((row) => row[0]))];
      return {
        measured: { "share of draws that help": share, "gap with 2 patterns": first, "gap with 24": last },
        holds: increases === 0 && last < 1e-4 && share <= PSI,
        detail:
          `The optimum may not rise by more than 1e-4 when patterns are added (it did ${increases} times), must be reached ` +
          `with all 24 (difference ${figure(last)}), and after ${needed} draws at most ${PSI} of 200 further ones may lower ` +
          `it by more than 1e-5 (${figure(share)}).`,
        series: [
          {
            kind: "line",
            title: "Gap to the optimum by the number of patterns",
            x: { label: "patterns" },
            y: { label: "objective above the optimum" },
            curves: gaps.map((y, i) => ({ name: `draw ${i + 1}`, x: SIZES, y, style: "line-points" as const })),
          },
        ],
      };
    },
  };
}

function subset(D: readonly Uint8Array[]): Patterns {
  return { D, draws: 0, exhausted: false, complete: false };
}

/** Part of 200 further draws whose pattern lowers the optimum of the sampled programme by more than 1e-5. */
async function shareThatHelps(
  train: Trainer,
  problem: SmallProblem,
  draws: number,
  seed: number,
  signal: AbortSignal,
): Promise<number> {
  const { x } = problem;
  const known = samplePatterns(x, { count: 24, seed, maxDraws: draws });
  const sampled = await optimumOf(train, { ...problem, patterns: known }, { certify: false, signal });
  const drawn = random
    .rng(seed + 1)
    .normal([200, 2], { dtype: "float64" })
    .data();
  const points = x.data();
  const effect = new Map<string, boolean>();
  let helping = 0;
  for (let i = 0; i < 200; i++) {
    const pattern = Uint8Array.from(points, (value) => (value * drawn[2 * i] + drawn[2 * i + 1] >= 0 ? 1 : 0));
    const key = pattern.join("");
    if (!effect.has(key)) {
      let lowers = false;
      if (!known.D.some((D) => D.join("") === key)) {
        const patterns = subset([...known.D, pattern]);
        const more = await optimumOf(train, { ...problem, patterns }, { certify: false, signal });
        lowers = more.networkObjective < sampled.networkObjective - 1e-5;
      }
      effect.set(key, lowers);
    }
    if (effect.get(key)) helping++;
  }
  return helping / 200;
}
