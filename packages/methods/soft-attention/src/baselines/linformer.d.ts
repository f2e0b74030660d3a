import { type Tensor } from "@offprint/tensor-core";
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
export declare function linformerHeads(options: LinformerOptions): HeadAttention<LinformerParams>;
