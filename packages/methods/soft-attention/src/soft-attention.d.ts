import { type Tensor, type TensorLike } from "@offprint/tensor-core";
import { type Bottleneck } from "./bottleneck.js";
import { type Grid } from "./grid.js";
import { type PinvOptions } from "./newton-pinv.js";
/**
 * What stands between the two kernels. `none`: `A^+` (SOFT). `symmetric`: `D^(-1/2) A^+ D^(-1/2)` with D the row sums of
 * A (SOFT++). `normalizedKernel`: the pseudo-inverse of `D^(-1/2) A D^(-1/2)`.
 */
export type Normalization = "none" | "symmetric" | "normalizedKernel";
/** Options of `softAttention`. */
export interface SoftAttentionOptions {
    /** How the n tokens lie. */
    grid: Grid;
    /** r >= 1: a window of r x r cells (1 x r in a sequence) gives one bottleneck token; 1 is the full kernel. */
    ratio: number;
    /** How windows become tokens. Default `pool`, which needs no parameters; the paper's layers learn a `conv`. */
    bottleneck?: Bottleneck;
    /** Default `none`. */
    normalization?: Normalization;
    /** Of the pseudo-inverse. */
    pinv?: PinvOptions;
    /** Whether queries are divided by `features^(1/4)`. Default true. */
    scale?: boolean;
    /** Whether windows may reach over the edge of the grid. Default false. */
    padBottleneck?: boolean;
}
/** P `[..., n, m]` and what stands between P and its transpose, `[..., m, m]`: the attention matrix is `P Z P^T`. */
export interface SoftFactors {
    /** Kernel of tokens and bottleneck tokens. */
    readonly p: Tensor;
    /** Kernel A of the bottleneck tokens, `[..., m, m]`. */
    readonly a: Tensor;
    /** The normalised pseudo-inverse of A. */
    readonly z: Tensor;
}
/** The factors of the attention matrix of scaled queries. */
export declare function softFactors(q: Tensor, options: SoftAttentionOptions): SoftFactors;
/** Whether the options ask for the full kernel: each token is its own bottleneck token. */
export declare function isFull({ ratio, bottleneck }: SoftAttentionOptions): boolean;
/**
 * SOFT and SOFT++: attention with the Gaussian kernel of shared queries and keys, approximated through m bottleneck
 * tokens, in time `O(n m + m^3)` and memory `O(n m)`: `Y = P (Z (P^T V))`. Pure and traceable; nothing of extent n x n
 * is made unless `ratio` is 1.
 * @param queries `[..., n, features]`, keys too
 * @param values `[..., n, outputs]`
 * @returns `[..., n, outputs]`
 * @throws ShapeError or ValueError where grid, ratio or options do not fit, or values are not finite.
 * @example
 * ```ts
 * import { softAttention } from "@offprint/soft-attention";
 * import { random } from "@offprint/tensor-core";
 *
 * const rng = random.rng(0);
 * const [queries, values] = [rng.normal([2, 64, 16]), rng.normal([2, 64, 16])];
 * const y = softAttention(queries, values, { grid: [8, 8], ratio: 2, normalization: "symmetric" });
 * ```
 * @see Lu et al., IJCV 2024, arXiv 2207.03341, sections 3 and 4
 */
export declare function softAttention(queries: TensorLike, values: TensorLike, options: SoftAttentionOptions): Tensor;
/** Options of `fullGaussianAttention`. */
export interface FullGaussianOptions {
    /** `none`: `S V`; otherwise `D^(-1/2) S D^(-1/2) V` with D the row sums of S. Default `none`. */
    normalization?: Normalization;
    /** Whether queries are divided by `features^(1/4)`. Default true. */
    scale?: boolean;
}
/**
 * The quadratic attention that SOFT approximates: `Y = S V` with `S_ij = exp(-|q_i - q_j|^2 / 2)`.
 * @param queries `[..., n, features]`, keys too
 * @param values `[..., n, outputs]`
 * @returns `[..., n, outputs]`
 * @throws ShapeError where shapes do not fit; ValueError for values that are not finite.
 */
export declare function fullGaussianAttention(queries: TensorLike, values: TensorLike, options?: FullGaussianOptions): Tensor;
