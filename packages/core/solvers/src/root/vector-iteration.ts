import type { Tensor } from "@offprint/tensor-core";

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
