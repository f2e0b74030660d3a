import { type Claim, type ClaimContext, figure, meanOf } from "@offprint/claims";
import { tensor } from "@offprint/tensor-core";
import { multiBlockHypergradient } from "../src/index.js";
import { constantsOf, type Method, published, rowSteps, type Version, versions } from "./method.js";
import { type QuadraticBed, quadraticBed } from "./quadratic-bed.js";

const sampled = [2, 5, 10, 25] as const;
const limit = 4000;

/** Iterations until the mean of five norms of the gradient, every ten iterations, is at most 0.1. */
async function iterationsNeeded(
  method: Method,
  bed: QuadraticBed,
  version: Version,
  sampledBlocks: number,
  seed: string,
): Promise<number> {
  const norms: number[] = [];
  let found = limit;
  await method.bsvrb(bed.problem, {
    ...{ ...constantsOf(version), seed, sampledBlocks, maxIterations: limit },
    ...{ stepSize: 0.004 * sampledBlocks, ...rowSteps(version, Math.min(0.004 * sampledBlocks, 0.1)) },
    evaluate({ x }, iteration) {
      if (iteration % 10 === 0) norms.push(bed.gradientNorm(x.data()));
      if (found === limit && norms.length >= 5 && meanOf(norms.slice(-5)) <= 0.1) found = iteration;
      return {};
    },
    onProgress: () => (found < limit ? "stop" : undefined),
  });
  return found;
}

/** More blocks in an iteration, fewer iterations. */
export function parallelSpeedup(method: Method = published): Claim {
  return {
    id: "parallel-speedup",
    statement:
      "Five times as many blocks in an iteration need a fraction of the iterations, as steps grow with their number",
    source: "Theorems 1 and 2, the headline: speed-up in the number of sampled blocks",
    paper: "1 / I",
    async run({ rng, seed, scale, onProgress }) {
      const [beds, runs] = scale === "full" ? [3, 2] : [1, 1];
      const rows: { version: string; bed: number; needed: number[] }[] = [];
      for (let b = 0; b < beds; b++) {
        const bed = quadraticBed(rng.fork(`bed/${b}`));
        for (const version of versions) {
          const needed: number[] = [];
          for (const count of sampled) {
            const each: number[] = [];
            for (let r = 0; r < runs; r++) {
              each.push(await iterationsNeeded(method, bed, version, count, `${seed}/${b}/${r}`));
            }
            needed.push(meanOf(each));
          }
          rows.push({ version, bed: b, needed });
        }
        await onProgress((b + 1) / beds);
      }
      const ratios = rows.flatMap(({ needed: [two, five, ten, twentyFive] }) => [two / ten, five / twentyFive]);
      const [least, average] = [Math.min(...ratios), meanOf(ratios)];
      return {
        measured: { mean: average, least },
        holds: least >= 1.8 && average >= 2.8,
        detail:
          `iterations to a gradient of 0.1 with 2 blocks over those with 10, and with 5 over those with 25, beds: ${beds}, runs of each: ${runs}: ` +
          `each at least 1.8 (least ${figure(least)}), 2.8 on average (${figure(average)}); 5 is ideal`,
        tables: [
          {
            title: "Iterations until the norm of the gradient is 0.1",
            columns: ["version", "bed", ...sampled.map((count) => `${count} blocks`)],
            rows: rows.map(({ version, bed, needed }) => [version, bed, ...needed]),
          },
        ],
      };
    },
  };
}

async function floor(context: ClaimContext, method: Method, version: Version, batch: number, which: number) {
  const bed = quadraticBed(context.rng.fork(`bed/${which}`), { batch });
  const norms: number[] = [];
  // From the minimiser, so that what is seen is noise alone.
  const x = tensor(bed.minimiser);
  const { y } = await multiBlockHypergradient(bed.problem, x);
  await method.bsvrb(
    { ...bed.problem, initial: { x, y } },
    {
      ...{
        ...constantsOf(version),
        sampledBlocks: 10,
        stepSize: 0.024,
        ...rowSteps(version, 0.04),
        maxIterations: 800,
      },
      seed: context.seed,
      evaluate({ x: at }, iteration) {
        if (iteration > 300 && iteration % 10 === 0) norms.push(bed.gradientNorm(at.data()));
        return {};
      },
    },
  );
  return meanOf(norms);
}

/** More rows of each block, less noise. */
export function batchSpeedup(method: Method = published): Claim {
  return {
    id: "batch-speedup",
    statement: "More rows of each block bring the gradient further down at the same steps",
    source: "Theorems 1 and 2, speed-up in the batch",
    paper: "1 / sqrt(B)",
    async run(context) {
      const [batches, beds] = context.scale === "full" ? [[2, 8, 32], 3] : [[2, 8], 1];
      const floors: number[][] = [];
      for (const version of versions) {
        const row: number[] = [];
        for (const batch of batches) {
          const each: number[] = [];
          for (let bed = 0; bed < beds; bed++) each.push(await floor(context, method, version, batch, bed));
          row.push(meanOf(each));
        }
        floors.push(row);
      }
      const ratios = floors.map(([two, eight]) => two / eight);
      return {
        measured: { v1: ratios[0], v2: ratios[1] },
        holds: ratios.every((ratio) => ratio >= 1.6),
        detail:
          `mean norm of the gradient (beds: ${beds}) over iterations 300 to 800 from the minimiser with 2 rows over that with 8: at least 1.6 for each version ` +
          `(v1 ${figure(ratios[0])}, v2 ${figure(ratios[1])})`,
        tables: [
          {
            title: "Mean norm of the gradient, 10 of 50 blocks",
            columns: ["version", ...batches.map((batch) => `${batch} rows`)],
            rows: versions.map((version, k) => [version, ...floors[k]]),
          },
        ],
      };
    },
  };
}
