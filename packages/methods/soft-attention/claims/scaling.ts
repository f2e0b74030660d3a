import { type Claim, type ClaimContext, figure, growthOf, leastSeconds } from "@offprint/claims";
import { jit, type Tensor, trace } from "@offprint/tensor-core";
import { adaptivePool, attentions, type HeadAttention, softHeads } from "../src/index.js";
import { peakBytes } from "./live-memory.js";

const FEATURES = 32;
const SIZES = [256, 512, 1024, 2048, 4096, 8192, 16384];
/** The n x n matrix of 16,384 tokens has 1 GiB. */
const SOFTMAX_LIMIT = { quick: 4096, full: 8192 } as const;

const published = softHeads({ features: FEATURES, ratio: 2, bottleneck: adaptivePool(7) });

/** A grid as near to a square as a power of two of tokens allows. */
function gridOf(n: number): readonly [number, number] {
  const height = 2 ** Math.floor(Math.log2(n) / 2);
  return [height, n / height];
}

/** Time and memory of one head. */
interface Cost {
  seconds: number;
  bytes: number;
}

async function cost(context: ClaimContext, attention: HeadAttention, n: number): Promise<Cost> {
  const forward = (query: Tensor, value: Tensor) =>
    attention.apply(null, { query, key: query, value, grid: gridOf(n) });
  const draw = () => context.rng.normal([1, 1, n, FEATURES]);
  const [query, value] = [draw(), draw()];
  const bytes = peakBytes(trace(forward, query, value));
  const compiled = jit(forward, context.backend ? { backend: context.backend } : {});
  await compiled(query, value);
  const onCpu = context.backend === undefined || context.backend.device === "cpu";
  const seconds = await leastSeconds(async () => (await compiled(query, value)).host(), onCpu);
  await compiled.release();
  return { seconds, bytes };
}

/** The paper's headline: time and memory grow linearly with the number of tokens. */
export function linearScaling(
  soft: HeadAttention = published,
  sizes: readonly number[] = SIZES,
  softmaxLimit: (scale: ClaimContext["scale"]) => number = (scale) => SOFTMAX_LIMIT[scale],
): Claim {
  return {
    id: "linear-scaling",
    statement:
      "Time and memory of SOFT grow linearly with the number of tokens, those of softmax attention quadratically",
    source: "Section 3, figure 1",
    paper: { SOFT: 1, softmax: 2 },
    async run(context: ClaimContext) {
      const softmaxSizes = sizes.filter((n) => n <= softmaxLimit(context.scale));
      const measure = async (attention: HeadAttention, of: readonly number[], from: number) => {
        const costs: Cost[] = [];
        for (const [i, n] of of.entries()) {
          costs.push(await cost(context, attention, n));
          await context.onProgress(from + (0.5 * (i + 1)) / of.length, `${n} tokens`);
        }
        return costs;
      };
      const own = await measure(soft, sizes, 0);
      const other = await measure(attentions.softmax(), softmaxSizes, 0.5);
      const slope = (of: readonly number[], costs: readonly Cost[], key: keyof Cost) =>
        growthOf(
          of.slice(-4),
          costs.slice(-4).map((each) => each[key]),
        );
      const [ownTime, ownMemory] = [slope(sizes, own, "seconds"), slope(sizes, own, "bytes")];
      const [otherTime, otherMemory] = [slope(softmaxSizes, other, "seconds"), slope(softmaxSizes, other, "bytes")];
      const crossover = softmaxSizes.find((_, i) => own[i].seconds < other[i].seconds);
      const curves = (key: keyof Cost) => [
        { name: "SOFT, m = 49", x: sizes, y: own.map((each) => each[key]), style: "line-points" as const },
        { name: "softmax", x: softmaxSizes, y: other.map((each) => each[key]), style: "line-points" as const },
      ];
      const x = { label: "tokens", scale: "log" } as const;
      return {
        measured: {
          "SOFT time": ownTime,
          "SOFT memory": ownMemory,
          "softmax time": otherTime,
          "softmax memory": otherMemory,
        },
        holds: ownTime <= 1.25 && ownMemory <= 1.25 && otherTime >= 1.7 && otherMemory >= 1.7,
        detail:
          `Powers of n over the last four sizes: SOFT at most 1.25 in time and memory (${figure(ownTime)}, ${figure(ownMemory)}), ` +
          `softmax at least 1.7 (${figure(otherTime)}, ${figure(otherMemory)}). SOFT is faster ` +
          `${crossover === undefined ? "at none of the common sizes" : `from ${crossover} tokens on`}.`,
        series: [
          {
            kind: "line",
            title: "Time of one head",
            x,
            y: { label: "seconds", scale: "log" },
            curves: curves("seconds"),
          },
          {
            kind: "line",
            title: "Values alive at once",
            x,
            y: { label: "bytes", scale: "log" },
            curves: curves("bytes"),
          },
        ],
      };
    },
  };
}
