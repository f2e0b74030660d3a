import type { BilevelRecord } from "@offprint/bilevel";
import { type Claim, figure, meanOf } from "@offprint/claims";
import { NonFiniteError } from "@offprint/tensor-core";
import { constants, constantsOf, type Method, published, rowSteps, type Version, versions } from "./method.js";
import { type QuadraticBed, quadraticBed } from "./quadratic-bed.js";

const ours = (version: Version) => ({ stepSize: 0.015, ...rowSteps(version, 0.025) });

/** Which is best depends on the bed little: the first. */
const theirs = [
  { stepSize: 0.01, lowerStepSize: 0.01, beta: 0.02 },
  { stepSize: 0.015, lowerStepSize: 0.025, beta: 0.02 },
  { stepSize: 0.01, lowerStepSize: 0.01, beta: 0.1 },
  { stepSize: 0.01, lowerStepSize: 0.01, beta: 0.5 },
  { stepSize: 0.02, lowerStepSize: 0.02, beta: 0.1 },
];

const maxIterations = 2000;

/** Mean norm of the gradient at the last 30 of 100 looks; infinite where it diverged. */
async function tail(
  bed: QuadraticBed,
  run: (
    evaluate: (at: { readonly x: { data(): ArrayLike<number> } }, iteration: number) => Record<string, number>,
  ) => Promise<{
    readonly history: readonly BilevelRecord[];
  }>,
): Promise<number> {
  const norms: number[] = [];
  try {
    await run(({ x }, iteration) => {
      if (iteration > 0.7 * maxIterations && iteration % 20 === 0) norms.push(bed.gradientNorm(x.data()));
      return {};
    });
  } catch (error) {
    if (error instanceof NonFiniteError) return Number.POSITIVE_INFINITY;
    throw error;
  }
  return meanOf(norms);
}

/** Better than the method before it, at the same sizes. */
export function againstRsvrb(method: Method = published): Claim {
  return {
    id: "against-rsvrb",
    statement:
      "With the same blocks and batches BSVRB comes nearer than RSVRB, which keeps the same things of each block",
    source: "Figure 1",
    paper: "lower validation loss, sooner (curves)",
    async run({ rng, seed, scale, onProgress }) {
      const [beds, tried] = scale === "full" ? [3, theirs] : [2, theirs.slice(0, 1)];
      const common = { sampledBlocks: 5, maxIterations };
      const rows: { bsvrb: number[]; rsvrb: number[] }[] = [];
      for (let b = 0; b < beds; b++) {
        const bed = quadraticBed(rng.fork(`bed/${b}`));
        const row = { bsvrb: [] as number[], rsvrb: [] as number[] };
        for (const version of versions) {
          const options = { ...constantsOf(version), ...common, ...ours(version), seed: `${seed}/${b}` };
          row.bsvrb.push(await tail(bed, (evaluate) => method.bsvrb(bed.problem, { ...options, evaluate })));
        }
        for (const setting of tried) {
          const { strongConvexity } = constants;
          const options = { ...common, ...setting, strongConvexity, seed: `${seed}/${b}` };
          row.rsvrb.push(await tail(bed, (evaluate) => method.rsvrb(bed.problem, { ...options, evaluate })));
        }
        rows.push(row);
        await onProgress((b + 1) / beds);
      }
      // Where RSVRB has the best of five settings on each bed, and noise helps it to that, each version must be ahead, by 1.3 on average.
      const [least, average] = scale === "full" ? [1, 1.3] : [1.3, 1.3];
      const ratios = rows.flatMap(({ bsvrb, rsvrb }) => bsvrb.map((norm) => Math.min(...rsvrb) / norm));
      return {
        measured: Math.min(...ratios),
        holds: ratios.every((ratio) => ratio >= least) && meanOf(ratios) >= average,
        detail:
          `mean norm of the gradient in the last 600 of 2000 iterations, 5 of 50 blocks, 8 rows: of the best RSVRB (settings: ${tried.length}) over that of ` +
          `each version, at least ${least} on each of ${beds} beds and ${average} on average (${ratios.map((ratio) => figure(ratio)).join(", ")})`,
        tables: [
          {
            title: "Mean norm of the gradient at the end",
            columns: [
              "bed",
              ...versions,
              ...tried.map((s) => `RSVRB ${s.stepSize}, ${s.lowerStepSize}, beta ${s.beta}`),
            ],
            rows: rows.map(({ bsvrb, rsvrb }, bed) => [bed, ...bsvrb, ...rsvrb]),
          },
        ],
      };
    },
  };
}
