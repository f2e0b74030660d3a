import { jit, trace } from "@offprint/tensor-core";
import { adaptivePool, attentions, softHeads } from "../src/index.js";
import { figure, growth } from "./figures.js";
import { peakBytes } from "./live-memory.js";
const FEATURES = 32;
const SIZES = [256, 512, 1024, 2048, 4096, 8192, 16384];
/** The n x n matrix of 16,384 tokens has 1 GiB. */
const SOFTMAX_LIMIT = { quick: 4096, full: 8192 };
const published = softHeads({ features: FEATURES, ratio: 2, bottleneck: adaptivePool(7) });
/** A grid as near to a square as a power of two of tokens allows. */
function gridOf(n) {
    const height = 2 ** Math.floor(Math.log2(n) / 2);
    return [height, n / height];
}
async function cost(context, attention, n) {
    const forward = (query, value) => attention.apply(null, { query, key: query, value, grid: gridOf(n) });
    const draw = () => context.rng.normal([1, 1, n, FEATURES]);
    const [query, value] = [draw(), draw()];
    const bytes = peakBytes(trace(forward, query, value));
    const compiled = jit(forward, context.backend ? { backend: context.backend } : {});
    await compiled(query, value);
    // The best of several runs: other work on the machine only ever adds to a time.
    let seconds = Number.POSITIVE_INFINITY;
    const started = performance.now();
    for (let run = 0; run < 20 && (run < 5 || performance.now() - started < 150); run++) {
        const before = performance.now();
        await (await compiled(query, value)).host();
        seconds = Math.min(seconds, (performance.now() - before) / 1000);
    }
    await compiled.release();
    return { seconds, bytes };
}
/** The paper's headline: time and memory grow linearly with the number of tokens. */
export function linearScaling(soft = published, sizes = SIZES, softmaxLimit = (scale) => SOFTMAX_LIMIT[scale]) {
    return {
        id: "linear-scaling",
        statement: "Time and memory of SOFT grow linearly with the number of tokens, those of softmax attention quadratically",
        source: "Section 3, figure 1",
        paper: { SOFT: 1, softmax: 2 },
        async run(context) {
            const softmaxSizes = sizes.filter((n) => n <= softmaxLimit(context.scale));
            const measure = async (attention, of, from) => {
                const costs = [];
                for (const [i, n] of of.entries()) {
                    costs.push(await cost(context, attention, n));
                    await context.onProgress(from + (0.5 * (i + 1)) / of.length, `${n} tokens`);
                }
                return costs;
            };
            const own = await measure(soft, sizes, 0);
            const other = await measure(attentions.softmax(), softmaxSizes, 0.5);
            const slope = (of, costs, key) => growth(of.slice(-4), costs.slice(-4).map((each) => each[key]));
            const [ownTime, ownMemory] = [slope(sizes, own, "seconds"), slope(sizes, own, "bytes")];
            const [otherTime, otherMemory] = [slope(softmaxSizes, other, "seconds"), slope(softmaxSizes, other, "bytes")];
            const crossover = softmaxSizes.find((_, i) => own[i].seconds < other[i].seconds);
            const curves = (key) => [
                { name: "SOFT, m = 49", x: sizes, y: own.map((each) => each[key]), style: "line-points" },
                { name: "softmax", x: softmaxSizes, y: other.map((each) => each[key]), style: "line-points" },
            ];
            const x = { label: "tokens", scale: "log" };
            return {
                measured: {
                    "SOFT time": ownTime,
                    "SOFT memory": ownMemory,
                    "softmax time": otherTime,
                    "softmax memory": otherMemory,
                },
                holds: ownTime <= 1.25 && ownMemory <= 1.25 && otherTime >= 1.7 && otherMemory >= 1.7,
                detail: `Powers of n over the last four sizes: SOFT at most 1.25 in time and memory (${figure(ownTime)}, ${figure(ownMemory)}), ` +
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
