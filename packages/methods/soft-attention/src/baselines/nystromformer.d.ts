import { type Tensor } from "@offprint/tensor-core";
import type { HeadAttention } from "../head-attention.js";
/** Options of `nystromformerHeads`. */
export interface NystromformerOptions {
    /** r: the mean of a window of r x r cells (1 x r in a sequence) is a landmark. */
    ratio: number;
    /** Whether windows may reach over the edge of the grid. Default false. */
    padBottleneck?: boolean;
}
/** Nystromformer's pseudo-inverse: six steps of `Z <- Z (13 I - A Z (15 I - A Z (7 I - A Z))) / 4`, started per matrix. */
export declare function cubicPinv(a: Tensor): Tensor;
/**
 * Nystromformer: softmax attention through average-pooled landmarks.
 * @see Xiong et al., AAAI 2021, arXiv 2102.03902
 */
export declare function nystromformerHeads(options: NystromformerOptions): HeadAttention<null>;
