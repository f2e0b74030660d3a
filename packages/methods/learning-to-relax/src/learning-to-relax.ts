import { UnsupportedError, ValueError } from "@offprint/tensor-core";

/** Options of `learningToRelax`. */
export interface LearningToRelaxOptions {
  /** How often it is done, an integer >= 1. Default 100. */
  iterations?: number;
}

/**
 * Learning to Relax: Setting Solver Parameters Across a Sequence of Linear System Instances.
 *
 * @throws ValueError for an option out of range.
 */
export function learningToRelax(options: LearningToRelaxOptions = {}): never {
  const { iterations = 100 } = options;
  if (!Number.isSafeInteger(iterations) || iterations < 1) {
    throw new ValueError(`learningToRelax: iterations is ${iterations}; it must be an integer >= 1`);
  }
  throw new UnsupportedError("learningToRelax: the method is not written yet; its place is src/learning-to-relax.ts");
}
