import { equal, sqrt, type Tensor, where } from "@offprint/tensor-core";

/** @internal A square root whose slope at 0 is 0: the norm of a vector that is 0 must not make a gradient NaN. */
export function root(x: Tensor): Tensor {
  const none = equal(x, 0);
  return where(none, 0, sqrt(where(none, 1, x)));
}
