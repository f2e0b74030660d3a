import { mul, type Rng, type Shape, type Tensor, type TensorLike, ValueError } from "@offprint/tensor-core";
import type { FloatType } from "./layer.js";

/**
 * A mask for `dropout`: 0 with probability `rate`, else `1 / (1 - rate)`, so that the mean stays. Draw one per step and
 * pass it to the traced function as an input.
 * @param rate in [0, 1)
 */
export function dropoutMask(rng: Rng, shape: Shape, rate: number, dtype: FloatType = "float32"): Tensor {
  if (!(rate >= 0 && rate < 1)) throw new ValueError(`dropoutMask: rate is ${rate}; it must be in [0, 1)`);
  return mul(rng.bernoulli(shape, { probability: 1 - rate, dtype }), 1 / (1 - rate));
}

/** `input * mask`; without a mask, as in use after training, the input itself. */
export function dropout(input: Tensor, mask: TensorLike | null | undefined): Tensor {
  return mask === null || mask === undefined ? input : mul(input, mask);
}
