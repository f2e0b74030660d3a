import { type Tensor, type TensorLike } from "@offprint/tensor-core";
/**
 * The Gaussian kernel `exp(-|a_i - b_j|^2 / 2)` of every pair of points.
 * @param a `[..., n, features]`
 * @param b `[..., m, features]`
 * @returns `[..., n, m]`, entries in (0, 1]; 0 where the distance underflows
 * @throws ShapeError where the features differ; ValueError for values that are not finite.
 * @see Lu et al., IJCV 2024, equation 4
 */
export declare function gaussianKernel(a: TensorLike, b: TensorLike): Tensor;
/**
 * The kernel without checks. The exponent `a.b - |a|^2 / 2 - |b|^2 / 2` comes out of one product of points with two
 * features more, so that the `[n, m]` matrix is only passed over by the clamp (rounding may leave the exponent above 0)
 * and by exp.
 */
export declare function kernelMatrix(a: Tensor, b: Tensor): Tensor;
