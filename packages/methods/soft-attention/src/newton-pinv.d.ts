import { type Tensor, type TensorLike } from "@offprint/tensor-core";
/** Options of the Newton-Raphson pseudo-inverse; the defaults are those of the authors' code. */
export interface PinvOptions {
    /** T >= 0, the number of steps; fixed, so that the iteration traces. Default 20. */
    iterations?: number;
    /**
     * c in (0, 2]: the start is `c / (largest row sum)^2` times the matrix. Default 1.8; 2 for the `backtracking` start.
     * The paper writes 2, with which a matrix of equal entries collapses to 0.
     */
    factor?: number;
    /** rho >= 0, added to the diagonal after the start's scale is known. Default 0.01; 0 for the `backtracking` start. */
    ridge?: number;
    /**
     * `rowSum` scales as above; `backtracking` then halves the scale, at most ten times and for each matrix alone, until
     * the largest column sum of `|I - P V|` is at most 1.01. Default `rowSum`.
     */
    start?: "rowSum" | "backtracking";
    /**
     * How gradients flow. `theoretical`, the default and the paper's: `-Z^T G Z^T`, exact for an invertible matrix once
     * the iteration has converged. `full`: the derivative of a pseudo-inverse, exact for changes that keep the rank.
     * `unrolled`: through the steps, exact for what was computed.
     */
    backward?: "theoretical" | "full" | "unrolled";
}
/** Options with defaults filled in. @throws ValueError for one out of range. */
export declare function resolvedPinv(options?: PinvOptions): Required<PinvOptions>;
/**
 * The pseudo-inverse of symmetric matrices by a fixed number of Newton-Raphson (Schulz) steps `V <- 2 V - V P V`, matrix
 * products only. An eigenvalue lambda of `P = M + ridge I` becomes `(1 - (1 - alpha lambda^2)^(2^T)) / lambda`: T steps
 * resolve condition numbers up to about `2^(T/2) / 2`, 500 for the default 20. With `ridge: 0` zero eigenvalues stay
 * zero, but rounding doubles there in each step: use about 10 steps for singular matrices.
 * @param matrix `[..., m, m]`, symmetric
 * @throws ShapeError for matrices that are not square; ValueError for options out of range or values that are not finite.
 * @example
 * ```ts
 * import { newtonPinv } from "@offprint/soft-attention";
 *
 * const inverse = newtonPinv([[2, 1], [1, 2]], { ridge: 0 }); // [[2/3, -1/3], [-1/3, 2/3]]
 * ```
 * @see Lu et al., IJCV 2024, algorithm 2 and proposition 3
 */
export declare function newtonPinv(matrix: TensorLike, options?: PinvOptions): Tensor;
/** The pseudo-inverse without checks. */
export declare function pinvOf(matrix: Tensor, options: Required<PinvOptions>): Tensor;
/**
 * How far an approximate inverse is from one: the largest entry of `|(M + ridge I) Z - I|`, per matrix. Near 0 when the
 * iteration has converged and the matrix is invertible.
 * @param matrix `[..., m, m]`
 * @param inverse `[..., m, m]`, from `newtonPinv`
 * @returns `[...]`
 */
export declare function pinvResidual(matrix: TensorLike, inverse: TensorLike, ridge?: number): Tensor;
