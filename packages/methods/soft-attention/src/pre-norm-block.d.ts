import { type AttentionParams, type LinearParams, type NormParams } from "@offprint/nn";
import { type Rng, type Tensor } from "@offprint/tensor-core";
/** Parameters of the softmax block of stage 4. */
export interface PreNormBlockParams {
    /** Before the attention. */
    readonly norm1: NormParams;
    /** Ordinary attention. */
    readonly attention: AttentionParams;
    /** Before the linear layers. */
    readonly norm2: NormParams;
    /** `[dim, 4 dim]` */
    readonly linear1: LinearParams;
    /** `[4 dim, dim]` */
    readonly linear2: LinearParams;
}
/** What stage 4 is made of: softmax attention, normalised before each sum, exact GELU. `[batch, n, dim]` to the same. */
export declare function preNormBlock(dim: number, heads: number): {
    init: (rng: Rng, dtype?: "float32" | "float64") => PreNormBlockParams;
    /** @param keep `[batch, 1, 1]`, 0 where a sample leaves out a branch: for the attention and the linear layers */
    apply(params: PreNormBlockParams, x: Tensor, keep?: readonly [Tensor, Tensor]): Tensor;
};
