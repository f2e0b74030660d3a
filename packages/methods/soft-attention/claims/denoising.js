import { initializers, linear } from "@offprint/nn";
import { adamw, chain, clipByGlobalNorm, meanSquaredError, train } from "@offprint/optim";
import { add, argMax, jit, random, stack, take, tensor } from "@offprint/tensor-core";
import { attentionLayer, attentions, softHeads, transformerBlock } from "../src/index.js";
import { figure, meanOf } from "./figures.js";
import { cosineField } from "./smooth-features.js";
const SIDE = 16;
const FEATURES = 8;
const LABELS = 4;
const DIM = 32;
const HEADS = 2;
/** One image: each token is the prototype of its label; labels form smooth regions, so that far tokens share them. */
function image(rng) {
    const prototypes = rng.normal([LABELS, FEATURES]);
    const fields = Array.from({ length: LABELS }, () => tensor(cosineField(rng, SIDE, 3, 1)));
    const clean = take(prototypes, argMax(stack(fields), { axis: 0 }));
    return { noisy: add(clean, rng.normal([SIDE * SIDE, FEATURES])), clean };
}
function images(rng, count) {
    const all = Array.from({ length: count }, () => image(rng));
    return { noisy: stack(all.map((each) => each.noisy)), clean: stack(all.map((each) => each.clean)) };
}
/** The network: tokens plus a correction by two blocks. Without an attention, blocks see one token at a time. */
function denoiser(attention) {
    const weightInit = initializers.uniformFanIn;
    const first = linear({ inputs: FEATURES, outputs: DIM });
    const last = linear({ inputs: DIM, outputs: FEATURES });
    const nothing = { init: () => null, apply: (_, x) => x.mul(0) };
    const layer = attention === null ? nothing : attentionLayer({ dim: DIM, heads: HEADS, attention, weightInit });
    const block = transformerBlock({ dim: DIM, attention: layer, weightInit });
    return {
        init: (rng) => ({ first: first.init(rng), blocks: [block.init(rng), block.init(rng)], last: last.init(rng) }),
        apply(params, x) {
            const hidden = params.blocks.reduce((h, p) => block.apply(p, h, [SIDE, SIDE]), first.apply(params.first, x));
            return add(x, last.apply(params.last, hidden));
        },
    };
}
/** Mean squared error on the test images after training on fresh ones. */
async function trainedError(context, attention, batches, test, run, onFraction) {
    const network = denoiser(attention);
    const loss = (params, { noisy, clean }) => meanSquaredError(network.apply(params, noisy), clean);
    const trained = await train({
        loss,
        params: network.init(random.rng(`${context.seed}/denoiser/${run}`)),
        optimizer: chain(clipByGlobalNorm(1), adamw({ learningRate: 3e-3 })),
        data: () => batches,
        epochs: 1,
        signal: context.signal,
        onProgress: ({ step }) => onFraction(step / batches.length),
        ...(context.backend && { backend: context.backend }),
    });
    const judged = jit(loss, context.backend ? { backend: context.backend } : {});
    const error = (await judged(trained.params, test));
    await judged.release();
    return (await error.host()).item();
}
const heads = { features: DIM / HEADS, ratio: 4 };
const methods = {
    "no attention": null,
    softmax: attentions.softmax(),
    SOFT: softHeads(heads),
    "SOFT++": softHeads({ ...heads, normalization: "symmetric" }),
};
/** A task that only attention solves: tokens of one kind, far apart, must be averaged. */
export function denoising(size = ({ scale }) => ({
    runs: scale === "full" ? 3 : 1,
    steps: 200,
    batch: 16,
    test: 64,
})) {
    return {
        id: "denoising-by-far-tokens",
        statement: "SOFT and SOFT++ learn to use far-away tokens: they denoise much better than no attention, as softmax does",
        source: "Section 5, at small scale on a task of our own",
        paper: "on a par with softmax attention",
        async run(context) {
            const { runs, steps, batch, test } = size(context);
            const judged = images(random.rng(`${context.seed}/test-images`), test);
            const names = Object.keys(methods);
            const errors = names.map(() => []);
            for (let run = 0; run < runs; run++) {
                const rng = random.rng(`${context.seed}/images/${run}`);
                const batches = Array.from({ length: steps }, () => images(rng, batch));
                for (const [i, name] of names.entries()) {
                    const done = (run * names.length + i) / (runs * names.length);
                    const onFraction = (fraction) => context.onProgress(done + fraction / (runs * names.length), name);
                    errors[i].push(await trainedError(context, methods[name], batches, judged, run, onFraction));
                }
            }
            const means = errors.map(meanOf);
            const [none, softmax, ...soft] = means;
            return {
                measured: Object.fromEntries(names.map((name, i) => [name, means[i]])),
                holds: soft.every((error) => error <= 0.65 * none && error <= 2 * softmax),
                detail: `Mean squared error after ${steps} updates, mean of ${runs === 1 ? "one run" : `${runs} runs`}: SOFT (${figure(soft[0])}) and ` +
                    `SOFT++ (${figure(soft[1])}) must be at most 0.65 of no attention's (${figure(none)}) and 2 of softmax's (${figure(softmax)}).`,
                series: [
                    {
                        kind: "bar",
                        title: "Mean squared error of denoised tokens",
                        category: "attention",
                        categories: names,
                        value: { label: "mean squared error" },
                        bars: [{ name: "test images", values: means }],
                    },
                ],
            };
        },
    };
}
