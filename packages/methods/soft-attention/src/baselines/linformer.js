import { dotProductAttention, initializers } from "@offprint/nn";
import { matmul, ShapeError } from "@offprint/tensor-core";
import { requireInteger } from "../grid.js";
/**
 * Linformer: softmax attention to m learned combinations of keys and values, shared by all heads.
 * @see Wang et al., 2020, arXiv 2006.04768
 */
export function linformerHeads(options) {
    const { tokens, projected } = options;
    requireInteger("linformerHeads", "tokens", tokens, 1);
    requireInteger("linformerHeads", "projected", projected, 1);
    const fans = { inputs: tokens, outputs: projected };
    return {
        sharedQueryKey: false,
        init: (rng, dtype = "float32") => ({
            key: initializers.uniformFanIn(rng, [projected, tokens], fans, dtype),
            value: initializers.uniformFanIn(rng, [projected, tokens], fans, dtype),
        }),
        apply(params, { query, key, value }) {
            if (key.shape[key.rank - 2] !== tokens) {
                throw new ShapeError(`linformerHeads: ${key.shape[key.rank - 2]} tokens; the layer was made for ${tokens}`);
            }
            return dotProductAttention(query, matmul(params.key, key), matmul(params.value, value));
        },
    };
}
