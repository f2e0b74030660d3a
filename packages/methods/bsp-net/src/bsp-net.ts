import { UnsupportedError, ValueError } from "@offprint/tensor-core";

/** Options of `bspNet`. */
export interface BspNetOptions {
  /** How often it is done, an integer >= 1. Default 100. */
  iterations?: number;
}

/**
 * Learning Mesh Representations via Binary Space Partitioning Tree Networks.
 *
 * @throws ValueError for an option out of range.
 */
export function bspNet(options: BspNetOptions = {}): never {
  const { iterations = 100 } = options;
  if (!Number.isSafeInteger(iterations) || iterations < 1) {
    throw new ValueError(`bspNet: iterations is ${iterations}; it must be an integer >= 1`);
  }
  throw new UnsupportedError("bspNet: the method is not written yet; its place is src/bsp-net.ts");
}
