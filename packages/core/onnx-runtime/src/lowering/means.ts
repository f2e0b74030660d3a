import type { Equation } from "@offprint/tensor-core";
import type { LoweringContext } from "./context.js";
import { isForGpu } from "./lowering.js";

/*
 * The engine makes one operation of a layer norm, in half the time, where its means and squares are written as
 * ReduceMean and Pow.
 */

/** Lowers a quotient as a mean, where it is a sum that nothing else uses, divided by the number of its terms. */
export function meanOf(c: LoweringContext, { inputs: [a, b], outputs: [y] }: Equation): boolean {
  const sum = c.soleSum(a);
  if (sum === undefined || c.constantOf(b) !== sum.axes.reduce((n, axis) => n * sum.source.shape[axis], 1))
    return false;
  c.define(y, c.emitReduction("ReduceMean", sum, a.shape));
  return true;
}

/** Whether a product is a square that is only summed. */
export function isAveragedSquare(c: LoweringContext, { inputs: [a, b], outputs: [y] }: Equation): boolean {
  const float = a.dtype === "float32" || a.dtype === "float64";
  return a === b && float && !isForGpu(c) && c.soleConsumer(y)?.primitive.name === "sum";
}
