import type { ClaimContext } from "@offprint/claims";
import { type BatchNormState } from "@offprint/nn";
import { type Rng, type Tensor } from "@offprint/tensor-core";
import { type HeadAttention } from "../src/index.js";
export declare const EPOCHS = 12;
/** The attentions that the digits are read with. */
export declare const digitAttentions: {
    readonly softmax: HeadAttention<null>;
    readonly SOFT: HeadAttention<import("../src/bottleneck.js").ConvBottleneckParams | null>;
    readonly "SOFT++": HeadAttention<import("../src/bottleneck.js").ConvBottleneckParams | null>;
    readonly "full kernel": HeadAttention<null>;
    readonly Linformer: HeadAttention<import("../src/index.js").LinformerParams>;
    readonly Performer: HeadAttention<null>;
};
/** Name of one of them. */
export type DigitAttention = keyof typeof digitAttentions;
/** A trained network. */
export interface DigitModel {
    /** Tree of parameters. */
    params: any;
    /** Running statistics of the stem. */
    state: readonly BatchNormState[];
}
/** 8 x 8 images as 64 tokens: two convolutions, two blocks, the mean of the tokens, ten classes. */
export declare function digitNetwork(attention: HeadAttention): {
    init: (rng: Rng) => DigitModel;
    train(params: any, state: readonly BatchNormState[], images: Tensor): [Tensor, BatchNormState[]];
    apply: ({ params, state }: DigitModel, images: Tensor) => Tensor;
};
/** Fraction of the test images of a split that a network reads right. */
export declare function digitAccuracy({ backend }: Pick<ClaimContext, "backend">, attention: HeadAttention, model: DigitModel, seed: number): Promise<number>;
/** Trains one network. */
export declare function trainDigits(context: Pick<ClaimContext, "backend" | "signal">, attention: HeadAttention, seed: number, onFraction?: (fraction: number) => unknown): Promise<DigitModel>;
