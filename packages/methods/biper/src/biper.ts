import { UnsupportedError, ValueError } from "@offprint/tensor-core";

/** Options of `biper`. */
export interface BiperOptions {
  /** How often it is done, an integer >= 1. Default 100. */
  iterations?: number;
}

/**
 * BiPer: Binary Neural Networks using a Periodic Function.
 *
 * @throws ValueError for an option out of range.
 */
export function biper(options: BiperOptions = {}): never {
  const { iterations = 100 } = options;
  if (!Number.isSafeInteger(iterations) || iterations < 1) {
    throw new ValueError(`biper: iterations is ${iterations}; it must be an integer >= 1`);
  }
  throw new UnsupportedError("biper: the method is not written yet; its place is src/biper.ts");
}
