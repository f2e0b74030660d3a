import { dotProductAttention, initializers } from "@offprint/nn";
import { checkOptions, matmul, requireInteger, ShapeError, type Tensor } from "@offprint/tensor-core";
import type { HeadAttention } from "../head-attention.js";

/** Options of `linformerHeads`. */
export interface LinformerOptions {
  /** n, which is fixed. */
  tokens: number;
  /** m: tokens after the projections. */
  projected: number;
}

/** Parameters of `linformerHeads`. */
export interface LinformerParams {
  /** `[m, n]`: projects the keys. */
  readonly key: Tensor;
  /** `[m, n]`: projects the values. */
  readonly value: Tensor;
}

/**
 * Linformer: softmax attention to m learned combinations of keys and values, shared by all heads.
 * @see Wang et al., 2020, arXiv 2006.04768
 */
export function linformerHeads(options: LinformerOptions): HeadAttention<LinformerParams> {
  checkOptions("linformerHeads", options, ["tokens", "projected"], ["tokens", "projected"]);
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
