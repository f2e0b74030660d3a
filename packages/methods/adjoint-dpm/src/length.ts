import { equal, linalg, type Tensor, where } from "@offprint/tensor-core";

/** @internal The Euclidean length of every sample, 1 where it is 0: shaped to multiply samples. */
export function lengths(x: Tensor): Tensor {
  const each = linalg.norm(x.reshape([x.shape[0], -1]), { axis: 1 });
  return where(equal(each, 0), 1, each).reshape([x.shape[0], ...x.shape.slice(1).map(() => 1)]);
}

/** @internal Every sample divided by its length, so that none depends on the others; 0 stays. */
export function normalised(x: Tensor): Tensor {
  return x.div(lengths(x));
}
