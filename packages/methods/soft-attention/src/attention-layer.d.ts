import { type Initializer, type LinearParams } from "@offprint/nn";
import { type Tensor } from "@offprint/tensor-core";
import type { GridLayer, HeadAttention } from "./head-attention.js";
/** Options of `attentionLayer`. */
export interface AttentionLayerOptions {
    /** Features of a token. */
    dim: number;
    /** Number of heads, a divisor of `dim`. */
    heads: number;
    /** What happens between the projections. */
    attention: HeadAttention;
    /** Odd extent of the local branch's kernel; 0, the default, leaves the branch out. */
    localConv?: number;
    /** Whether tokens are a sequence, so that the local kernel is 1 x k. Default false. */
    sequence?: boolean;
    /** Of the projections' weights. Default truncated normal with standard deviation 0.02, as in the paper. */
    weightInit?: Initializer;
}
/** Parameters of `attentionLayer`. */
export interface AttentionLayerParams {
    /** `[dim, dim]`; projects keys too where the attention shares them. */
    readonly query: LinearParams;
    /** `[dim, dim]`; null where keys are queries. */
    readonly key: LinearParams | null;
    /** `[dim, dim]` */
    readonly value: LinearParams;
    /** `[dim, dim]` */
    readonly output: LinearParams;
    /** Of the attention itself. */
    readonly attention: any;
    /** `[heads, 1, k, k]`; null without a local branch. */
    readonly local: Tensor | null;
}
/**
 * Attention in heads between linear projections, with an optional local branch: `[batch, n, dim]` to the same.
 * @throws ValueError where `heads` does not divide `dim` or `localConv` is even.
 */
export declare function attentionLayer(options: AttentionLayerOptions): GridLayer<AttentionLayerParams>;
