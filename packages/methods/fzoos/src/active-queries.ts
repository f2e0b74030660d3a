import { hostTensor } from "@offprint/tensor-core";
import type { TrajectorySurrogate } from "./trajectory-surrogate.js";

/** The candidates at which the surrogate's gradient is least certain, most uncertain first; of equal ones the earlier. */
export function mostUncertain(
  surrogate: TrajectorySurrogate,
  candidates: readonly Float64Array[],
  count: number,
): Float64Array[] {
  const d = candidates[0].length;
  const flat = new Float64Array(candidates.length * d);
  candidates.forEach((candidate, j) => {
    flat.set(candidate, j * d);
  });
  const scores = surrogate.uncertainty(hostTensor(flat, [candidates.length, d], "float64")).data();
  const order = candidates.map((_, j) => j).sort((a, b) => scores[b] - scores[a] || a - b);
  return order.slice(0, count).map((j) => candidates[j]);
}
