import { readFileSync } from "node:fs";
import type { Tensor } from "../src/index.js";
import { f64 } from "./gradient-check.js";

/** What NumPy and PyTorch give; see fixtures/make_array_ops.py. */
export const fixture = JSON.parse(readFileSync(new URL("fixtures/array_ops.json", import.meta.url), "utf8"));

export function listed(entry: { shape: number[]; values: number[] }): Tensor {
  return f64(Float64Array.from(entry.values), entry.shape);
}
