import type { Tensor } from "./tensor.js";

/**
 * A function whose arguments and result are trees of tensors, as the constraint of a type parameter: what such a
 * function takes and gives stays known.
 */
export type TreeFunction = (...args: never[]) => unknown;

/** What a function is taken for whose parameters are not typed. */
export type TensorFunction = (...args: Tensor[]) => Tensor;

/** A function called with arguments that were taken apart and put together again, as trees that it takes. */
export function applied<F extends TreeFunction>(f: F, args: readonly unknown[]): ReturnType<F> {
  return (f as unknown as (...args: readonly unknown[]) => ReturnType<F>)(...args);
}
