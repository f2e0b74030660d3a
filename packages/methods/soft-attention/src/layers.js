import { asTensor, ShapeError } from "@offprint/tensor-core";
import { attentionLayer } from "./attention-layer.js";
import { requireInteger } from "./grid.js";
import { softHeads } from "./soft-heads.js";
import { transformerBlock } from "./transformer-block.js";
/**
 * SOFT (or, with `normalization: "symmetric"`, SOFT++) as a layer: `[batch, n, dim]` to the same, in time and memory
 * linear in n.
 * @throws ValueError where `heads` does not divide `dim` or an option is out of range.
 * @example
 * ```ts
 * import { softAttentionLayer } from "@offprint/soft-attention";
 * import { random } from "@offprint/tensor-core";
 *
 * const layer = softAttentionLayer({ dim: 32, heads: 2, ratio: 4, localConv: 3 });
 * const params = layer.init(random.rng(0));
 * const y = layer.apply(params, random.rng(1).normal([1, 256, 32]), [16, 16]);
 * ```
 */
export function softAttentionLayer(options) {
    const { dim, heads, localConv, weightInit, ...rest } = options;
    requireInteger("softAttentionLayer", "heads", heads, 1);
    // A divisor is checked below; the heads only need a whole number here.
    const attention = softHeads({ ...rest, features: Math.max(1, Math.floor(dim / heads)) });
    const more = { ...(localConv && { localConv }), ...(weightInit && { weightInit }) };
    return attentionLayer({ dim, heads, attention, ...more, ...(rest.sequence && { sequence: true }) });
}
/** The paper's transformer block around `softAttentionLayer`: `[batch, n, dim]` to the same. */
export function softBlock(options) {
    const { dim, weightInit } = options;
    return transformerBlock({ dim, attention: softAttentionLayer(options), ...(weightInit && { weightInit }) });
}
/** A layer on a grid as one on sequences of any length, `[batch, n, dim]` to the same. */
function onSequence(layer) {
    return {
        init: (rng, dtype) => layer.init(rng, dtype),
        apply(params, input) {
            const x = asTensor(input);
            if (x.rank !== 3)
                throw new ShapeError(`softSequence: the tokens have shape [${x.shape}]; give [batch, n, dim]`);
            return layer.apply(params, x, [1, x.shape[1]]);
        },
    };
}
/**
 * SOFT attention on sequences of any length: a layer for `sequential` and the like, `[batch, n, dim]` to the same. Every
 * token sees every other; there is no causal form.
 */
export function softSequenceAttention(options) {
    return onSequence(softAttentionLayer({ padBottleneck: true, ...options, sequence: true }));
}
/** The transformer block on sequences of any length, `[batch, n, dim]` to the same. */
export function softSequenceBlock(options) {
    return onSequence(softBlock({ padBottleneck: true, ...options, sequence: true }));
}
