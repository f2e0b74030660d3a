import { type Tensor, type TensorLike } from "@offprint/tensor-core";
import { type SoftAttentionOptions } from "./soft-attention.js";
/** Options of `attentionDiagnostics`. */
export interface DiagnosticsOptions extends SoftAttentionOptions {
    /** Whether to compare with the full kernel, which takes n x n memory. Default false. */
    full?: boolean;
}
/** How well the factors of one head approximate the kernel. */
export interface AttentionDiagnostics {
    /** `|P Z P^T - S| / |S|` in the Frobenius norm, with `full`. */
    readonly kernelError?: number;
    /** Condition number of `A + ridge I`: about `2^(T/2) / 2` is what T Newton steps resolve. */
    readonly condition: number;
    /** Largest entry of `|(A + ridge I) Z - I|` of the plain pseudo-inverse: near 0 when the iteration has converged. */
    readonly residual: number;
    /** Largest eigenvalue of the attention matrix `P Z P^T`: how much attention may enlarge the values. */
    readonly spectralNorm: number;
}
/**
 * Looks into the attention matrix of one head, in float64.
 * @param queries `[n, features]`
 * @throws ShapeError or ValueError as `softAttention`; ValueError for a ratio of 1, which approximates nothing.
 */
export declare function attentionDiagnostics(queries: TensorLike, options: DiagnosticsOptions): AttentionDiagnostics;
/** The non-zero eigenvalues of `P Z P^T` are those of `R Z R` with R the root of `P^T P`, which is m x m. */
export declare function spectralNorm(p: Tensor, z: Tensor): number;
