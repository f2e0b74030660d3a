import { broadcastTo, type Tensor, zeros } from "@offprint/tensor-core";

/** A tensor that has a shape and next to no memory, for files to be compared with. */
export function extent(...shape: number[]): Tensor {
  return broadcastTo(zeros([1]), shape);
}
