import { UnsupportedError, ValueError } from "@offprint/tensor-core";

/** Options of `reagent`. */
export interface ReagentOptions {
  /** How often it is done, an integer >= 1. Default 100. */
  iterations?: number;
}

/**
 * ReAGent: Towards A Model-agnostic Feature Attribution Method for Generative Language Models.
 *
 * @throws ValueError for an option out of range.
 */
export function reagent(options: ReagentOptions = {}): never {
  const { iterations = 100 } = options;
  if (!Number.isSafeInteger(iterations) || iterations < 1) {
    throw new ValueError(`reagent: iterations is ${iterations}; it must be an integer >= 1`);
  }
  throw new UnsupportedError("reagent: the method is not written yet; its place is src/reagent.ts");
}
