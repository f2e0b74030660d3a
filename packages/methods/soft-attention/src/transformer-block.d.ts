import { type Initializer, type LinearParams, type NormParams } from "@offprint/nn";
import { type Tensor } from "@offprint/tensor-core";
import type { Grid } from "./grid.js";
import type { GridLayer } from "./head-attention.js";
/** Options of `transformerBlock`. */
export interface BlockOptions {
    /** Features of a token. */
    dim: number;
    /** The attention of the block, any layer on a grid. */
    attention: GridLayer;
    /** Features between the two linear layers. Default `4 dim`. */
    hidden?: number;
    /** Of linear weights. Default truncated normal with standard deviation 0.02. */
    weightInit?: Initializer;
}
/** Parameters of `transformerBlock`. */
export interface BlockParams {
    /** Of the attention layer. */
    readonly attention: any;
    /** After the attention. */
    readonly norm1: NormParams;
    /** `[dim, hidden]` */
    readonly linear1: LinearParams;
    /** `[hidden, dim]` */
    readonly linear2: LinearParams;
    /** After the linear layers. */
    readonly norm2: NormParams;
}
/** Dropout masks of a block, from `dropoutMask`; each broadcasts to `[batch, n, dim]`. */
export interface BlockMasks {
    /** On what the attention adds. */
    readonly attention: Tensor;
    /** On what the linear layers add. */
    readonly feedForward: Tensor;
}
/** A block, which takes dropout masks while training. */
export interface Block<P> extends GridLayer<P> {
    /** `[batch, n, dim]` to the same. */
    apply(params: P, x: Tensor, grid: Grid, landmarks?: Tensor, masks?: BlockMasks): Tensor;
}
/**
 * The block of SOFT, normalised after each sum: `h = norm(x + attention(x))`, `y = norm(h + linear(gelu(linear(h))))`,
 * GELU by its formula with tanh. `[batch, n, dim]` to the same.
 */
export declare function transformerBlock(options: BlockOptions): Block<BlockParams>;
