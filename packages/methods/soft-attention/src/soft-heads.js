import { initializers, layerNorm } from "@offprint/nn";
import { ValueError } from "@offprint/tensor-core";
import { requireInteger } from "./grid.js";
import { resolvedPinv } from "./newton-pinv.js";
import { fullGaussianAttention, softAttention } from "./soft-attention.js";
const kinds = ["conv", "pool", "random", "strided"];
/** SOFT or SOFT++ between the projections of a layer; its parameters are those of the bottleneck, null without any. */
export function softHeads(options) {
    const { features, ratio, bottleneck = "conv", sequence = false, seed = 0, normalization, pinv, padBottleneck, } = options;
    requireInteger("softHeads", "features", features, 1);
    requireInteger("softHeads", "ratio", ratio, 1);
    resolvedPinv(pinv);
    if (typeof bottleneck === "string" && !kinds.includes(bottleneck)) {
        throw new ValueError(`softHeads: bottleneck is "${bottleneck}"; it must be one of ${kinds.join(", ")}`);
    }
    const learned = bottleneck === "conv" && ratio > 1;
    const window = sequence ? [1, ratio] : [ratio, ratio];
    const norm = layerNorm({ features });
    const chosen = (params) => {
        if (typeof bottleneck === "function")
            return bottleneck;
        if (bottleneck === "random")
            return { kind: "random", seed };
        return params === null ? { kind: bottleneck === "strided" ? "strided" : "pool" } : { kind: "conv", ...params };
    };
    return {
        sharedQueryKey: true,
        init(rng, dtype = "float32") {
            if (!learned)
                return null;
            const count = features * window[0] * window[1];
            const fans = { inputs: count, outputs: count };
            const weight = initializers.uniformFanIn(rng, [features, features, ...window], fans, dtype);
            return { weight, norm: norm.init(rng, dtype) };
        },
        apply: (params, { query, value, grid, landmarks }) => softAttention(query, value, {
            grid,
            ratio,
            bottleneck: landmarks === undefined ? chosen(params) : { kind: "tokens", indices: landmarks },
            ...(normalization && { normalization }),
            ...(pinv && { pinv }),
            ...(padBottleneck && { padBottleneck }),
        }),
    };
}
/** The quadratic kernel attention that SOFT approximates, between the projections of a layer. */
export function fullGaussianHeads(options = {}) {
    return {
        sharedQueryKey: true,
        init: () => null,
        apply: (_, { query, value }) => fullGaussianAttention(query, value, options),
    };
}
