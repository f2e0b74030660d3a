import {
  add,
  div,
  exp,
  greater,
  maximum,
  mul,
  requireObject,
  requirePositive,
  ShapeError,
  square,
  sub,
  sum,
  type Tensor,
  where,
} from "@offprint/tensor-core";
import type { LatentNormal } from "./series-encoder.js";

function checked(owner: string, values: Tensor, predicted: Tensor, mask: Tensor): void {
  requireObject(owner, "values", values, "a tensor [n, m, d]");
  requireObject(owner, "predicted", predicted, "a tensor like values");
  requireObject(owner, "mask", mask, "a tensor like values");
  const shapes = [values, predicted, mask].map(({ shape }) => `[${shape}]`);
  if (values.rank !== 3 || shapes.some((shape) => shape !== shapes[0])) {
    throw new ShapeError(`${owner}: values, predicted and mask have shapes ${shapes.join(", ")}; give three [n, m, d]`);
  }
}

/** Sum of the squares of what is missed of what was seen, and how much was seen, over the given axes. */
function misses(values: Tensor, predicted: Tensor, mask: Tensor, axis: readonly number[]) {
  const missed = where(greater(mask, 0), sub(values, predicted), 0);
  return { squares: sum(mul(mask, square(missed)), { axis: [...axis] }), count: sum(mask, { axis: [...axis] }) };
}

/**
 * The logarithm of the normal density of what was seen of each series, a mean over what was seen: `[n]`, 0 for a series of which
 * nothing was.
 * @param values - `[n, m, d]`; what the mask leaves out is not looked at
 * @param predicted - `[n, m, d]`
 * @param mask - `[n, m, d]`, 1 where something was seen, else 0
 * @param deviation - standard deviation of what is seen, above 0
 * @throws ValueError, ShapeError
 */
export function maskedLogLikelihood(values: Tensor, predicted: Tensor, mask: Tensor, deviation: number): Tensor {
  checked("maskedLogLikelihood", values, predicted, mask);
  requirePositive("maskedLogLikelihood", "deviation", deviation);
  const { squares, count } = misses(values, predicted, mask, [1, 2]);
  const each = add(mul(squares, -0.5 / deviation ** 2), mul(count, -Math.log(deviation * Math.sqrt(2 * Math.PI))));
  return div(each, maximum(count, 1));
}

/**
 * Mean square of what is missed of all that was seen: a scalar, 0 where nothing was.
 * @throws ValueError, ShapeError
 */
export function maskedMeanSquaredError(values: Tensor, predicted: Tensor, mask: Tensor): Tensor {
  checked("maskedMeanSquaredError", values, predicted, mask);
  const { squares, count } = misses(values, predicted, mask, [0, 1, 2]);
  return div(squares, maximum(count, 1));
}

/** Kullback-Leibler divergence of distributions of latent states from the standard normal one: `[n]`. */
export function divergenceFromStandardNormal(latentNormal: LatentNormal): Tensor {
  requireObject("divergenceFromStandardNormal", "latentNormal", latentNormal, "{ mean, logVariance }");
  const { mean, logVariance } = latentNormal;
  return mul(sum(sub(sub(add(square(mean), exp(logVariance)), 1), logVariance), 1), 0.5);
}
