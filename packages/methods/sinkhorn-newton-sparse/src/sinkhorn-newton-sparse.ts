import { UnsupportedError, ValueError } from "@offprint/tensor-core";

/** Options of `sinkhornNewtonSparse`. */
export interface SinkhornNewtonSparseOptions {
  /** How often it is done, an integer >= 1. Default 100. */
  iterations?: number;
}

/**
 * Accelerating Sinkhorn Algorithm with Sparse Newton Iterations.
 *
 * @throws ValueError for an option out of range.
 */
export function sinkhornNewtonSparse(options: SinkhornNewtonSparseOptions = {}): never {
  const { iterations = 100 } = options;
  if (!Number.isSafeInteger(iterations) || iterations < 1) {
    throw new ValueError(`sinkhornNewtonSparse: iterations is ${iterations}; it must be an integer >= 1`);
  }
  throw new UnsupportedError(
    "sinkhornNewtonSparse: the method is not written yet; its place is src/sinkhorn-newton-sparse.ts",
  );
}
