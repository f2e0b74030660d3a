import { isTensor, type Tensor, type TensorLike, tensor } from "@offprint/tensor-core";

/** A tensor as it is; anything else in float64, which these packages promise. */
export function asFloat64(x: TensorLike): Tensor {
  return isTensor(x) ? x : tensor(x, { dtype: "float64" });
}
