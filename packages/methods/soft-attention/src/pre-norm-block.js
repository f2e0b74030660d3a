import { initializers, layerNorm, linear, multiHeadAttention, } from "@offprint/nn";
import { add, mul, special } from "@offprint/tensor-core";
/** What stage 4 is made of: softmax attention, normalised before each sum, exact GELU. `[batch, n, dim]` to the same. */
export function preNormBlock(dim, heads) {
    const weightInit = initializers.truncatedNormal(0.02);
    const norm = layerNorm({ features: dim, epsilon: 1e-6 });
    const attention = multiHeadAttention({ features: dim, heads, weightInit });
    const biasInit = initializers.zeros;
    const linear1 = linear({ inputs: dim, outputs: 4 * dim, weightInit, biasInit });
    const linear2 = linear({ inputs: 4 * dim, outputs: dim, weightInit, biasInit });
    return {
        init: (rng, dtype = "float32") => ({
            norm1: norm.init(rng, dtype),
            attention: attention.init(rng, dtype),
            norm2: norm.init(rng, dtype),
            linear1: linear1.init(rng, dtype),
            linear2: linear2.init(rng, dtype),
        }),
        /** @param keep `[batch, 1, 1]`, 0 where a sample leaves out a branch: for the attention and the linear layers */
        apply(params, x, keep) {
            const kept = (y, i) => (keep === undefined ? y : mul(y, keep[i]));
            const attended = attention.apply(params.attention, { query: norm.apply(params.norm1, x) });
            const h = add(x, kept(attended, 0));
            const inner = special.gelu(linear1.apply(params.linear1, norm.apply(params.norm2, h)));
            return add(h, kept(linear2.apply(params.linear2, inner), 1));
        },
    };
}
