import type { Tensor } from "@offprint/tensor-core";

/** What the gradient by a head's weights is made of. */
export interface HeadGradient {
  /** o, `[L, d]`. */
  readonly output: Tensor;
  /** c, `[L, d]`. */
  readonly upstream: Tensor;
  /** Gradient by the queries, `[L, d]`. */
  readonly q: Tensor;
  /** Gradient by the keys, `[L, d]`. */
  readonly k: Tensor;
  /** Gradient by the values, `[L, d]`. */
  readonly v: Tensor;
}

/** A matrix that is missing where something is wrong in this package. */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a sequence without rows came through");
  return value;
}
