import {
  abs,
  div,
  expandDims,
  greater,
  linalg,
  matmul,
  maximum,
  mul,
  requireNonNegative,
  sign,
  sub,
  type Tensor,
  type TensorLike,
  where,
} from "@offprint/tensor-core";
import { asFloat64 } from "../operand.js";

/** `argmin_z |z - x|^2 / 2 + h(z)` for a convex function `h`. */
export type Proximal = (x: TensorLike) => Tensor;

/** Of `weight * |x|_1`: soft thresholding. @throws ValueError for a negative weight. */
export function l1(weight: number): Proximal {
  requireNonNegative("proximal.l1", "weight", weight);
  return (x) => {
    const point = asFloat64(x);
    return mul(sign(point), maximum(sub(abs(point), weight), 0));
  };
}

/** Of `weight` times the sum of the Euclidean norms of groups, which lie along the last axis. @throws ValueError */
export function groups(weight: number): Proximal {
  requireNonNegative("proximal.groups", "weight", weight);
  return (x) => {
    const point = asFloat64(x);
    const length = linalg.norm(point, { axis: -1, keepDims: true });
    const kept = greater(length, weight);
    return mul(point, where(kept, sub(1, div(weight, where(kept, length, 1))), 0));
  };
}

/** Of `weight` times the nuclear norm of matrices `[..., m, n]`: singular values are soft-thresholded. @throws ValueError */
export function nuclearNorm(weight: number): Proximal {
  requireNonNegative("proximal.nuclearNorm", "weight", weight);
  return (x) => {
    const { u, s, vt } = linalg.svd(asFloat64(x));
    return matmul(mul(u, expandDims(maximum(sub(s, weight), 0), -2)), vt);
  };
}
