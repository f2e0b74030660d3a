import { mul, sum, type Tensor, type TensorLike, tensor } from "@offprint/tensor-core";

/** A float64 tensor. */
export function f64(values: TensorLike, shape?: readonly number[]): Tensor {
  return tensor(values, { dtype: "float64", ...(shape && { shape }) });
}

/** Float64 numbers in (-1, 1) without order, the same each time. */
export function scattered(shape: readonly number[], seed = 1): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return f64(
    Float64Array.from({ length: size }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed) * 0.97),
    shape,
  );
}

/** A scalar that weighs every element of a result differently. */
export function weighed(y: Tensor): Tensor {
  return sum(mul(y, scattered(y.shape, 7)));
}
