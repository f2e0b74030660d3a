import type { Bottleneck, ConvBottleneckParams } from "./bottleneck.js";
import type { HeadAttention } from "./head-attention.js";
import { type PinvOptions } from "./newton-pinv.js";
import { type Normalization } from "./soft-attention.js";
/** Options of `softHeads`. */
export interface SoftHeadsOptions {
    /** Features of a head. */
    features: number;
    /** r >= 1: a window of r x r cells, or 1 x r, gives one bottleneck token. */
    ratio: number;
    /** How windows become tokens. Default `conv`, which is learned. */
    bottleneck?: "conv" | "pool" | "random" | "strided" | Exclude<Bottleneck, {
        kind: string;
    }>;
    /** Default `none` (SOFT); `symmetric` is SOFT++. */
    normalization?: Normalization;
    /** Of the pseudo-inverse. */
    pinv?: PinvOptions;
    /** Whether tokens are a sequence, so that windows are 1 x r. Default false. */
    sequence?: boolean;
    /** Whether windows may reach over the edge of the grid. Default false. */
    padBottleneck?: boolean;
    /** Of the `random` bottleneck when a call brings no landmarks. Default 0. */
    seed?: number | string;
}
/** SOFT or SOFT++ between the projections of a layer; its parameters are those of the bottleneck, null without any. */
export declare function softHeads(options: SoftHeadsOptions): HeadAttention<ConvBottleneckParams | null>;
/** The quadratic kernel attention that SOFT approximates, between the projections of a layer. */
export declare function fullGaussianHeads(options?: {
    normalization?: Normalization;
}): HeadAttention<null>;
