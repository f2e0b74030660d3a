import { type BatchNormState, type ConvParams, type FloatType, type NormParams } from "@offprint/nn";
import { type Rng, type Tensor } from "@offprint/tensor-core";
/** Parameters of one convolution with its batch normalisation. */
export interface ConvNormParams {
    /** `[outputs, inputs, 3, 3]` with bias. */
    readonly conv: ConvParams;
    /** Of the batch normalisation. */
    readonly norm: NormParams;
}
/** Applies the convolutions in turn, and collects the new running statistics where they are asked for. */
export interface ConvStage {
    /** One entry per convolution. */
    init(rng: Rng, dtype?: FloatType): ConvNormParams[];
    /** One entry per convolution. */
    initState(dtype?: FloatType): BatchNormState[];
    /** With the statistics of this batch. */
    train(params: readonly ConvNormParams[], state: readonly BatchNormState[], x: Tensor): [Tensor, BatchNormState[]];
    /** With the running statistics. */
    apply(params: readonly ConvNormParams[], state: readonly BatchNormState[], x: Tensor): Tensor;
}
/**
 * 3 x 3 convolutions with padding 1 and bias, each followed by batch normalisation and ReLU.
 * @param channels from the input on, one more than `strides`
 */
export declare function convStage(channels: readonly number[], strides: readonly number[]): ConvStage;
