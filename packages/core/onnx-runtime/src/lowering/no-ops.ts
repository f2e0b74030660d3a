import type { Equation, Variable } from "@offprint/tensor-core";
import type { LoweringContext } from "./context.js";

/** The number that an operation does nothing with, as its first or its second operand. */
const neutral: Readonly<Record<string, readonly [first: number | undefined, second: number]>> = {
  add: [0, 0],
  sub: [undefined, 0],
  mul: [1, 1],
  div: [undefined, 1],
  pow: [undefined, 1],
};

/**
 * Leaves out additions of 0, products with 1 and the like, and says whether it did. ONNX Runtime leaves them out too, but
 * another of its rewritings, of products with reciprocals, then loses the value and refuses the graph.
 */
export function leftOut(c: LoweringContext, { primitive, inputs, outputs: [y] }: Equation): boolean {
  if (!Object.hasOwn(neutral, primitive.name)) return false;
  const [first, second] = neutral[primitive.name];
  const [a, b] = inputs;
  const kept: Variable | undefined =
    c.constantOf(b) === second ? a : first !== undefined && c.constantOf(a) === first ? b : undefined;
  if (kept === undefined || kept.dtype !== y.dtype) return false;
  c.defineSame(y, kept);
  return true;
}
