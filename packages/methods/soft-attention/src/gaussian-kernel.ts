import {
  asTensor,
  concatenate,
  exp,
  matmul,
  minimum,
  mul,
  onesLike,
  requireFinite,
  ShapeError,
  square,
  sum,
  swapAxes,
  type Tensor,
  type TensorLike,
} from "@offprint/tensor-core";

/**
 * The Gaussian kernel `exp(-|a_i - b_j|^2 / 2)` of every pair of points.
 * @param a `[..., n, features]`
 * @param b `[..., m, features]`
 * @returns `[..., n, m]`, entries in (0, 1]; 0 where the distance underflows
 * @throws ShapeError where the features differ; ValueError for values that are not finite.
 * @see Lu et al., IJCV 2024, equation 4
 */
export function gaussianKernel(a: TensorLike, b: TensorLike): Tensor {
  const [x, y] = [asTensor(a), asTensor(b)];
  if (x.rank < 2 || y.rank < 2 || x.shape[x.rank - 1] !== y.shape[y.rank - 1]) {
    throw new ShapeError(
      `gaussianKernel: points of shape [${x.shape}] and [${y.shape}]; give [..., n, features] and [..., m, features]`,
    );
  }
  requireFinite("gaussianKernel", "a", x);
  requireFinite("gaussianKernel", "b", y);
  return kernelMatrix(x, y);
}

/**
 * The kernel without checks. The exponent `a.b - |a|^2 / 2 - |b|^2 / 2` comes out of one product of points with two
 * features more, so that the `[n, m]` matrix is only passed over by the clamp (rounding may leave the exponent above 0)
 * and by exp.
 */
export function kernelMatrix(a: Tensor, b: Tensor): Tensor {
  const [ofA, ofB] = [halfNorm(a), halfNorm(b)];
  const left = concatenate([a, ofA, onesLike(ofA)], -1);
  const right = concatenate([b, onesLike(ofB), ofB], -1);
  return exp(minimum(matmul(left, swapAxes(right, -1, -2)), 0));
}

/** `-|x|^2 / 2` of every point, `[..., n, 1]`. */
function halfNorm(x: Tensor): Tensor {
  return mul(sum(square(x), { axis: -1, keepDims: true }), -0.5);
}
