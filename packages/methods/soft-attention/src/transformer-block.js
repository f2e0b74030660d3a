import { dropout, initializers, layerNorm, linear, } from "@offprint/nn";
import { add, special } from "@offprint/tensor-core";
/**
 * The block of SOFT, normalised after each sum: `h = norm(x + attention(x))`, `y = norm(h + linear(gelu(linear(h))))`,
 * GELU by its formula with tanh. `[batch, n, dim]` to the same.
 */
export function transformerBlock(options) {
    const { dim, attention, hidden = 4 * dim, weightInit = initializers.truncatedNormal(0.02) } = options;
    const norm = layerNorm({ features: dim });
    const linear1 = linear({ inputs: dim, outputs: hidden, weightInit, biasInit: initializers.zeros });
    const linear2 = linear({ inputs: hidden, outputs: dim, weightInit, biasInit: initializers.zeros });
    return {
        init: (rng, dtype = "float32") => ({
            attention: attention.init(rng, dtype),
            norm1: norm.init(rng, dtype),
            linear1: linear1.init(rng, dtype),
            linear2: linear2.init(rng, dtype),
            norm2: norm.init(rng, dtype),
        }),
        apply(params, x, grid, landmarks, masks) {
            const attended = dropout(attention.apply(params.attention, x, grid, landmarks), masks?.attention);
            const h = norm.apply(params.norm1, add(x, attended));
            const inner = special.gelu(linear1.apply(params.linear1, h), { approximate: true });
            return norm.apply(params.norm2, add(h, dropout(linear2.apply(params.linear2, inner), masks?.feedForward)));
        },
    };
}
