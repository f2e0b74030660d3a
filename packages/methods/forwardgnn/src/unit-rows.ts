import { add, asTensor, div, sqrt, square, sum, type Tensor, type TensorLike } from "@offprint/tensor-core";

/** `h_i / (||h_i|| + 1e-8)`: keeps the goodness of one layer from leaking into the next. A row of zeros stays. */
export function unitRows(h: TensorLike): Tensor {
  const x = asTensor(h);
  return div(x, add(sqrt(sum(square(x), { axis: -1, keepDims: true })), 1e-8));
}
