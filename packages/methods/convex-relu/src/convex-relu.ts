import { UnsupportedError, ValueError } from "@offprint/tensor-core";

/** Options of `convexRelu`. */
export interface ConvexReluOptions {
  /** How often it is done, an integer >= 1. Default 100. */
  iterations?: number;
}

/**
 * Efficient Global Optimization of Two-layer ReLU Networks: Quadratic-time Algorithms and Adversarial Training.
 *
 * @throws ValueError for an option out of range.
 */
export function convexRelu(options: ConvexReluOptions = {}): never {
  const { iterations = 100 } = options;
  if (!Number.isSafeInteger(iterations) || iterations < 1) {
    throw new ValueError(`convexRelu: iterations is ${iterations}; it must be an integer >= 1`);
  }
  throw new UnsupportedError("convexRelu: the method is not written yet; its place is src/convex-relu.ts");
}
