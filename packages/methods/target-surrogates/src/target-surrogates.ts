import { UnsupportedError, ValueError } from "@offprint/tensor-core";

/** Options of `targetSurrogates`. */
export interface TargetSurrogatesOptions {
  /** How often it is done, an integer >= 1. Default 100. */
  iterations?: number;
}

/**
 * Target-based Surrogates for Stochastic Optimization.
 *
 * @throws ValueError for an option out of range.
 */
export function targetSurrogates(options: TargetSurrogatesOptions = {}): never {
  const { iterations = 100 } = options;
  if (!Number.isSafeInteger(iterations) || iterations < 1) {
    throw new ValueError(`targetSurrogates: iterations is ${iterations}; it must be an integer >= 1`);
  }
  throw new UnsupportedError("targetSurrogates: the method is not written yet; its place is src/target-surrogates.ts");
}
