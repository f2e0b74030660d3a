import { UnsupportedError, ValueError } from "@offprint/tensor-core";

/** Options of `fasterBcd`. */
export interface FasterBcdOptions {
  /** How often it is done, an integer >= 1. Default 100. */
  iterations?: number;
}

/**
 * Let's Make Block Coordinate Descent Converge Faster: Faster Greedy Rules, Message-Passing, Active-Set Complexity, and Superlinear Convergence.
 *
 * @throws ValueError for an option out of range.
 */
export function fasterBcd(options: FasterBcdOptions = {}): never {
  const { iterations = 100 } = options;
  if (!Number.isSafeInteger(iterations) || iterations < 1) {
    throw new ValueError(`fasterBcd: iterations is ${iterations}; it must be an integer >= 1`);
  }
  throw new UnsupportedError("fasterBcd: the method is not written yet; its place is src/faster-bcd.ts");
}
