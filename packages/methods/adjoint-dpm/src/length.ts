import { type Tensor, tensor } from "@offprint/tensor-core";

/** @internal The Euclidean length of numbers of any size: an image has more of them than a call takes arguments. */
export function lengthOf(values: ArrayLike<number>): number {
  let [largest, sum] = [0, 0];
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
  if (largest === 0) return 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] / largest) ** 2;
  return largest * Math.sqrt(sum);
}

/** @internal A number for every sample, shaped to multiply them. */
export function perSample(x: Tensor, measure: (values: Float64Array) => number): Tensor {
  const [batch] = x.shape;
  const size = x.size / batch;
  const values = Float64Array.from(x.data());
  const numbers = Float64Array.from({ length: batch }, (_, b) => measure(values.subarray(b * size, (b + 1) * size)));
  return tensor(numbers, { shape: [batch, ...new Array<number>(x.rank - 1).fill(1)] });
}

/** @internal Every sample divided by its length, so that none depends on the others; 0 stays. */
export function normalised(x: Tensor): Tensor {
  return x.div(perSample(x, (values) => lengthOf(values) || 1));
}
