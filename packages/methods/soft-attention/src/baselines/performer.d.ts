import { type Tensor } from "@offprint/tensor-core";
import type { HeadAttention } from "../head-attention.js";
/** Options of `performerHeads`. */
export interface PerformerOptions {
    /** Features of a head. */
    features: number;
    /** m: number of random features. */
    randomFeatures: number;
    /** Of the random directions, which are not trained. Default 0. */
    seed?: number | string;
}
/**
 * Performer: softmax attention by positive random features `exp(w^T x - |x|^2 / 2)`, linear in n.
 * @see Choromanski et al., ICLR 2021, arXiv 2009.14794
 */
export declare function performerHeads(options: PerformerOptions): HeadAttention<null>;
/** `phi(Q) (phi(K)^T V) / (phi(Q) phi(K)^T 1)`, from right to left. */
export declare function normalisedProduct(phiQuery: Tensor, phiKey: Tensor, value: Tensor): Tensor;
