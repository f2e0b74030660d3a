import { f64, readFixture } from "@offprint/testing";
import type { Tensor } from "../src/index.js";

/** What NumPy and PyTorch give; see fixtures/make_array_ops.py. */
export const fixture = readFixture<any>(import.meta.url, "array_ops.json");

export function listed(entry: { shape: number[]; values: number[] }): Tensor {
  return f64(Float64Array.from(entry.values), entry.shape);
}
