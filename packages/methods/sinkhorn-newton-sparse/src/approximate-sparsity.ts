import { type TensorLike, ValueError } from "@offprint/tensor-core";
import { readPlan } from "./sparsify.js";

/**
 * The smallest fraction lambda of entries that hold all mass of a plan but `eps`: the plan is (lambda, eps)-sparse.
 * Times m it is the number of entries per row.
 *
 * @param plan `[n, m]`, >= 0
 * @param eps mass that may be left out, in the units of the plan, >= 0
 * @throws ValueError for a negative entry or `eps`
 * @example
 * approximateSparsity([[0.5, 0], [1e-9, 0.5]], 1e-3) // 0.5
 */
export function approximateSparsity(plan: TensorLike, eps: number): number {
  if (!(eps >= 0 && eps < Infinity)) {
    throw new ValueError(`approximateSparsity: eps is ${eps}; the mass left out is a finite number >= 0`);
  }
  const sorted = readPlan("approximateSparsity", plan).data.slice().sort();
  let left = 0;
  let dropped = 0;
  while (dropped < sorted.length && left + sorted[dropped] <= eps) left += sorted[dropped++];
  return (sorted.length - dropped) / sorted.length;
}
