import { asTensor, div, maximum, sum, type Tensor, type TensorLike } from "@offprint/tensor-core";

/** Rows divided by their sum, or by 1 where that is below 1: word counts as frequencies. Not for negative features. */
export function rowNormalize(features: TensorLike): Tensor {
  const x = asTensor(features);
  return div(x, maximum(sum(x, { axis: -1, keepDims: true }), 1));
}
