import { UnsupportedError, ValueError } from "@offprint/tensor-core";

/** Options of `gbnn`. */
export interface GbnnOptions {
  /** How often it is done, an integer >= 1. Default 100. */
  iterations?: number;
}

/**
 * Sequential Training of Neural Networks with Gradient Boosting.
 *
 * @throws ValueError for an option out of range.
 */
export function gbnn(options: GbnnOptions = {}): never {
  const { iterations = 100 } = options;
  if (!Number.isSafeInteger(iterations) || iterations < 1) {
    throw new ValueError(`gbnn: iterations is ${iterations}; it must be an integer >= 1`);
  }
  throw new UnsupportedError("gbnn: the method is not written yet; its place is src/gbnn.ts");
}
