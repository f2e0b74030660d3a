import { UnsupportedError, ValueError } from "@offprint/tensor-core";

/** Options of `adadagrad`. */
export interface AdadagradOptions {
  /** How often it is done, an integer >= 1. Default 100. */
  iterations?: number;
}

/**
 * AdAdaGrad: Adaptive Batch Size Schemes for Adaptive Gradient Methods.
 *
 * @throws ValueError for an option out of range.
 */
export function adadagrad(options: AdadagradOptions = {}): never {
  const { iterations = 100 } = options;
  if (!Number.isSafeInteger(iterations) || iterations < 1) {
    throw new ValueError(`adadagrad: iterations is ${iterations}; it must be an integer >= 1`);
  }
  throw new UnsupportedError("adadagrad: the method is not written yet; its place is src/adadagrad.ts");
}
