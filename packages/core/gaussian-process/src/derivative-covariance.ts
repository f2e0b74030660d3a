import { expandDims, grad, jacobian, reshape, type Tensor, transpose, vmap } from "@offprint/tensor-core";
import type { Kernel } from "./kernel.js";

/** The covariance of two points `[d]`. */
function pair(kernel: Kernel, a: Tensor, b: Tensor): Tensor {
  return reshape(kernel.matrix(expandDims(a, 0), expandDims(b, 0)), []);
}

/** `[n, k, d]` covariances of values at the rows of x `[n, d]` with gradients at those of z `[k, d]`. */
export function valueGradient(kernel: Kernel, x: Tensor, z: Tensor): Tensor {
  const one = (a: Tensor, b: Tensor) => grad((v: Tensor) => pair(kernel, a, v))(b) as Tensor;
  return vmap((a: Tensor) => vmap((b: Tensor) => one(a, b))(z))(x);
}

/** `[n, d, k, d]` covariances of gradients at the rows of x with gradients at those of z. */
export function gradientGradient(kernel: Kernel, x: Tensor, z: Tensor): Tensor {
  const byBoth = (a: Tensor, b: Tensor) =>
    jacobian((u: Tensor) => grad((v: Tensor) => pair(kernel, u, v))(b) as Tensor)(a) as Tensor;
  // Of each pair [d of b, d of a].
  const blocks = vmap((a: Tensor) => vmap((b: Tensor) => byBoth(a, b))(z))(x);
  return transpose(blocks, [0, 3, 1, 2]);
}
