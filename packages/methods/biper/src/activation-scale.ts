import { add, div, mean, mul, sqrt, square, sub, sum, type Tensor } from "@offprint/tensor-core";

const EPSILON = 1e-5;

/**
 * Every sample divided by its standard deviation over all other axes (unbiased; nothing is subtracted). The sign does not
 * change, but the surrogate's gradient, which sees magnitudes, then means the same in every layer.
 */
export function scaledSamples(a: Tensor): Tensor {
  const axis = a.shape.map((_, i) => i).slice(1);
  const count = a.size / a.shape[0];
  const centred = sub(a, mean(a, { axis, keepDims: true }));
  const spread = mul(sum(square(centred), { axis, keepDims: true }), 1 / Math.max(1, count - 1));
  return div(a, sqrt(add(spread, EPSILON)));
}
