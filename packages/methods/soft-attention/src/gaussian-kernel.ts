import {
  asTensor,
  concatenate,
  exp,
  eye,
  matmul,
  mean,
  minimum,
  mul,
  onesLike,
  requireFinite,
  ShapeError,
  square,
  stopGradient,
  sub,
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
 * and by exp. About the middle of the points less is lost in it; of points with themselves the diagonal is exactly 1.
 */
export function kernelMatrix(a: Tensor, b: Tensor): Tensor {
  const middle = stopGradient(mean(b, { axis: -2, keepDims: true }));
  const [x, y] = [sub(a, middle), sub(b, middle)];
  const [ofX, ofY] = [halfNorm(x), halfNorm(y)];
  const left = concatenate([x, ofX, onesLike(ofX)], -1);
  const right = concatenate([y, onesLike(ofY), ofY], -1);
  const exponents = minimum(matmul(left, swapAxes(right, -1, -2)), 0);
  return exp(a === b ? mul(exponents, offDiagonal(a)) : exponents);
}

/** `[n, n]` ones with zeros on the diagonal. */
function offDiagonal(x: Tensor): Tensor {
  const n = x.shape[x.rank - 2];
  return sub(1, eye(n, n, x.dtype === "float64" ? "float64" : "float32"));
}

/** `-|x|^2 / 2` of every point, `[..., n, 1]`. */
function halfNorm(x: Tensor): Tensor {
  return mul(sum(square(x), { axis: -1, keepDims: true }), -0.5);
}
