import { concatenate, type Tensor, zeros } from "@offprint/tensor-core";

/** `x[batch, channels, ...]` with so many channels of zeros on both sides. */
export function withZeroChannels(x: Tensor, channels: number): Tensor {
  const rim = zeros([x.shape[0], channels, ...x.shape.slice(2)], x.dtype as "float32" | "float64");
  return concatenate([rim, x, rim], 1);
}
