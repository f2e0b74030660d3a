import { UnsupportedError, ValueError } from "@offprint/tensor-core";

/** Options of `cbo`. */
export interface CboOptions {
  /** How often it is done, an integer >= 1. Default 100. */
  iterations?: number;
}

/**
 * Gradient is All You Need? How Consensus-Based Optimization can be Interpreted as a Stochastic Relaxation of Gradient Descent.
 *
 * @throws ValueError for an option out of range.
 */
export function cbo(options: CboOptions = {}): never {
  const { iterations = 100 } = options;
  if (!Number.isSafeInteger(iterations) || iterations < 1) {
    throw new ValueError(`cbo: iterations is ${iterations}; it must be an integer >= 1`);
  }
  throw new UnsupportedError("cbo: the method is not written yet; its place is src/cbo.ts");
}
