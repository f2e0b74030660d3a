import type { Equation, Variable } from "@offprint/tensor-core";
import type { Value } from "../model/graph-builder.js";
import type { LoweringContext } from "./context.js";
import { isForGpu } from "./lowering.js";

/** Primitives whose second operand points into the first, by operators that count negative indices from the end. */
const counting = new Set(["take", "takeAlongAxis", "scatterAdd", "scatterMax", "scatterSet", "scatterAddAlongAxis"]);

/**
 * Leaves out the parts of `where(i < 0, i + n, i)`, as traced indices are written, and says whether it did: the CPU's
 * operators do that themselves, and refuse what is below -n, of which i + n would be an index again.
 */
export function countedFromEnd(c: LoweringContext, equation: Equation): boolean {
  if (isForGpu(c)) return false;
  const { name } = equation.primitive;
  const [y] = equation.outputs;
  if (name === "where") {
    if (!isCount(c, equation)) return false;
    c.defineSame(y, equation.inputs[2]);
    return true;
  }
  const consumer = name === "less" || name === "add" ? c.soleConsumer(y) : undefined;
  return consumer?.primitive.name === "where" && isCount(c, consumer);
}

/**
 * Indices along an axis of an extent, for an operator that counts negative ones from the end. Those that a primitive gets
 * count from 0: unless that is left to the operator, as above, a negative one becomes one that it refuses.
 */
export function refusingNegative(c: LoweringContext, indices: Variable, extent: number): Value {
  const value = c.value(indices);
  const from = c.producer(indices);
  const counted = from?.primitive.name === "where" && isCount(c, from);
  const known = c.graph.initializers.some((constant) => constant.value.name === value.name);
  if (isForGpu(c) || counted || known) return value;
  const number = (n: number) => c.graph.constant(value.type, [], Int32Array.of(n));
  const negative = c.emit("Less", [value, number(0)], { shape: value.shape, type: "bool" });
  return c.emit("Where", [negative, number(extent), value], { shape: value.shape, type: value.type });
}

function isCount(c: LoweringContext, { inputs: [negative, moved, i], outputs: [y] }: Equation): boolean {
  /** The number that an operation, which only this uses, has beside the indices. */
  const beside = (operation: Equation | undefined, name: string): number | undefined => {
    if (operation?.primitive.name !== name || operation.inputs[0] !== i) return undefined;
    const [, number] = operation.inputs;
    const alone = c.soleConsumer(operation.outputs[0]) !== undefined;
    return alone && c.producer(number) === undefined ? c.constantOf(number) : undefined;
  };
  if (beside(c.producer(negative), "less") !== 0) return false;
  const extent = beside(c.producer(moved), "add");
  return c.consumersOf(y).every((use) => {
    if (use === null || !counting.has(use.primitive.name)) return false;
    const { axis } = use.params as { axis: number };
    return use.inputs.indexOf(y) === 1 && use.inputs.lastIndexOf(y) === 1 && use.inputs[0].shape[axis] === extent;
  });
}
