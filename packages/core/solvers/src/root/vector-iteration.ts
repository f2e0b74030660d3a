import { linalg, square, sum, type Tensor } from "@offprint/tensor-core";

/** What every iteration for the equation `residual(x) = 0` remembers; all of it tensors. */
export interface IterateState {
  /** `[n]` */
  readonly x: Tensor;
  /** The residual there, `[n]`. */
  readonly residual: Tensor;
}

/**
 * @internal An iteration for `residual(x) = 0` in operations of tensors: run by `runLoop`, compiled, or as a `whileLoop`
 * inside a traced function.
 */
export interface VectorIteration<S extends IterateState> {
  begin(x: Tensor): S;
  step(state: S): S;
  /** Whether no step lowers the residual any more. Default never. */
  stuck?(state: S): Tensor;
}

/** Euclidean length, whatever its size. */
export function lengthOf(x: Tensor): Tensor {
  return linalg.norm(x);
}

/** Sum of squares. */
export function squaresOf(x: Tensor): Tensor {
  return sum(square(x));
}
