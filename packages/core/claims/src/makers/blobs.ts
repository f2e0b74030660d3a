import { checkOptions, type Rng, requireObject, tensor, ValueError } from "@offprint/tensor-core";
import { checkCount, checkDeviation, type LabelledPoints } from "./labelled-points.js";

/** How blobs are drawn. */
export interface BlobOptions {
  /** One centre for each class, all of one dimension. */
  readonly centres: readonly (readonly number[])[];
  /** Deviation of every coordinate. Default 1. */
  readonly std?: number;
}

/**
 * Normal points around centres. Classes take turns, beginning with 0.
 *
 * @throws ValueError for a count, a deviation or centres out of range
 */
export function blobs(rng: Rng, count: number, options: BlobOptions): LabelledPoints {
  requireObject("blobs", "rng", rng, "a generator of random.rng(seed)");
  checkOptions("blobs", options, ["centres", "std"], ["centres"]);
  const { centres, std = 1 } = options;
  checkCount("blobs", count);
  checkDeviation("blobs", "std", std);
  const dimension = centres[0]?.length ?? 0;
  if (dimension === 0 || centres.some((centre) => centre.length !== dimension)) {
    throw new ValueError("blobs: centres must be at least one list of coordinates, all of one length.");
  }
  const inputs = Float64Array.from(rng.normal([count, dimension], { std, dtype: "float64" }).data());
  const targets = Int32Array.from({ length: count }, (_, i) => i % centres.length);
  for (let p = 0; p < inputs.length; p++) {
    inputs[p] += centres[targets[Math.floor(p / dimension)]][p % dimension];
  }
  return { inputs: tensor(inputs, { shape: [count, dimension] }), targets: tensor(targets) };
}
