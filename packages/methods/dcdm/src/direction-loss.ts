import { div, mean, mul, requireFunction, requireObject, square, sub, sum, type Tensor } from "@offprint/tensor-core";

/**
 * What is left of unit vectors x after one exact line search from zero along the network's answers y:
 * `mean of |x - alpha A y|^2` with `alpha = (x . y) / (y . A y)`. Does not depend on the scale of y.
 * @param product A times every row, such as `tensorProduct(a)`
 * @param x `[batch, n]` unit rows
 * @param y `[batch, n]`
 * @see arXiv 2205.10763, equation 6
 */
export function directionLoss(product: (y: Tensor) => Tensor, x: Tensor, y: Tensor): Tensor {
  requireFunction("directionLoss", "product", product);
  requireObject("directionLoss", "x", x, "a tensor");
  requireObject("directionLoss", "y", y, "a tensor");
  const ay = product(y);
  const along = { axis: 1, keepDims: true };
  const alpha = div(sum(mul(x, y), along), sum(mul(y, ay), along));
  return mean(sum(square(sub(x, mul(alpha, ay))), 1));
}
