import { type BatchNormState, type FloatType, type LinearParams, type NormParams } from "@offprint/nn";
import { type Rng, type Tensor, type TensorLike } from "@offprint/tensor-core";
import { type ConvNormParams } from "./conv-stage.js";
import type { PinvOptions } from "./newton-pinv.js";
import { type PreNormBlockParams } from "./pre-norm-block.js";
import type { BlockParams } from "./transformer-block.js";
import { type VisionMasks } from "./vision-masks.js";
import { type VisionSize, type VisionSizeName } from "./vision-sizes.js";
/** Options of `softVisionTransformer`. */
export interface VisionOptions {
    /** One of the paper's sizes, or your own. */
    size: VisionSizeName | VisionSize;
    /** Number of classes. */
    classes: number;
    /** SOFT++ instead of SOFT. Default false. */
    plusPlus?: boolean;
    /** Channels of the images. Default 3. */
    channels?: number;
    /** Of the pseudo-inverses. */
    pinv?: PinvOptions;
    /** Whether windows may reach over the edge, for images whose grids `ratios` do not divide. Default false. */
    padBottleneck?: boolean;
}
/** Parameters of `softVisionTransformer`. */
export interface VisionParams {
    /** Per stage, its convolutions: three in the stem, one between stages. */
    readonly embeddings: readonly (readonly ConvNormParams[])[];
    /** Per stage `[side^2, dim]`; that of stage 4 has the class token's in front. */
    readonly positions: readonly Tensor[];
    /** Blocks of stages 1 to 3. */
    readonly blocks: readonly (readonly BlockParams[])[];
    /** `[dim]` */
    readonly classToken: Tensor;
    /** Blocks of stage 4. */
    readonly classBlocks: readonly PreNormBlockParams[];
    /** Before the head. */
    readonly norm: NormParams;
    /** `[dim, classes]` */
    readonly head: LinearParams;
}
/** Running statistics of the batch normalisations, per stage and convolution. */
export type VisionState = readonly (readonly BatchNormState[])[];
/** An image model; batch statistics go in and come out. */
export interface VisionTransformer {
    /** Extents, defaults filled in. */
    readonly size: Required<VisionSize>;
    /** Draws initial parameters. Default dtype float32. */
    init(rng: Rng, dtype?: FloatType): VisionParams;
    /** Mean zeros, variance ones. */
    initState(dtype?: FloatType): VisionState;
    /** `[batch, channels, height, width]` to logits `[batch, classes]`; pure and traceable. */
    apply(params: VisionParams, state: VisionState, images: TensorLike): Tensor;
    /** The logits with the statistics of this batch, and the new running ones. */
    train(params: VisionParams, state: VisionState, images: TensorLike, masks?: VisionMasks): [Tensor, VisionState];
    /** Draws the masks of one training step. `rate` in [0, 1) is that of the last block; it grows linearly with depth. */
    masks(rng: Rng, imageShape: readonly number[], rate: number): VisionMasks;
}
/**
 * The image model of the paper: four stages of tokens at 1/4, 1/8, 1/16 and 1/32 of the resolution, SOFT blocks in the
 * first three, softmax blocks with a class token in the last.
 * @throws ValueError for sizes out of range; when applied, for images whose grids the ratios do not divide.
 * @see Lu et al., IJCV 2024, figure 3 and table 1
 */
export declare function softVisionTransformer(options: VisionOptions): VisionTransformer;
