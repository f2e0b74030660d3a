import type { Initializer, Layer } from "@offprint/nn";
import { type AttentionLayerParams } from "./attention-layer.js";
import type { GridLayer } from "./head-attention.js";
import { type SoftHeadsOptions } from "./soft-heads.js";
import { type Block, type BlockParams } from "./transformer-block.js";
/** Options of the SOFT layers. */
export interface SoftLayerOptions extends Omit<SoftHeadsOptions, "features"> {
    /** Features of a token. */
    dim: number;
    /** Number of heads, a divisor of `dim`. */
    heads: number;
    /** Odd extent of the local branch's kernel, 0 for none. Default 0. */
    localConv?: number;
    /** Of linear weights. Default truncated normal with standard deviation 0.02. */
    weightInit?: Initializer;
}
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
export declare function softAttentionLayer(options: SoftLayerOptions): GridLayer<AttentionLayerParams>;
/** The paper's transformer block around `softAttentionLayer`: `[batch, n, dim]` to the same. */
export declare function softBlock(options: SoftLayerOptions): Block<BlockParams>;
/** Options of the sequence layers: windows are `1 x ratio` and may reach over the end unless told otherwise. */
export type SoftSequenceOptions = Omit<SoftLayerOptions, "sequence">;
/**
 * SOFT attention on sequences of any length: a layer for `sequential` and the like, `[batch, n, dim]` to the same. Every
 * token sees every other; there is no causal form.
 */
export declare function softSequenceAttention(options: SoftSequenceOptions): Layer<AttentionLayerParams>;
/** The transformer block on sequences of any length, `[batch, n, dim]` to the same. */
export declare function softSequenceBlock(options: SoftSequenceOptions): Layer<BlockParams>;
