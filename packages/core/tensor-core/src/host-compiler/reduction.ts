import type { DType } from "../dtype.js";
import type { Equation } from "../graph/builder.js";
import type { ReductionParams } from "../primitives/reduction.js";
import { sizeOf } from "../shape.js";
import { identityOf } from "./accumulator.js";
import type { Compilation } from "./compilation.js";
import { type Combination, reducedStrides } from "./loop-plan.js";
import { reshape } from "./movement.js";
import { type Element, elementTypes, offsets, Value } from "./values.js";

const combinations = new Set<string>(["sum", "prod", "max", "min"]);
const instructions: Readonly<Record<Combination, string>> = { sum: "add", prod: "mul", max: "max", min: "min" };

/** Writes a reduction, or adds it to a group of loops; false for other operations, and products of integers. */
export function reduce(c: Compilation, equation: Equation): boolean {
  const { primitive, inputs, outputs } = equation;
  const [x] = inputs;
  const combination = primitive.name as Combination;
  // Products of integers overflow differently in the host's float64.
  if (!combinations.has(combination) || (combination === "prod" && x.dtype === "int32")) return false;
  const { axes } = equation.params as ReductionParams;
  if (axes.every((axis) => x.shape[axis] === 1)) {
    reshape(c, equation);
    c.release(x);
    return true;
  }
  if (sizeOf(x.shape) > c.small || (c.crowded && sizeOf(x.shape) > 0)) {
    c.groups.addReduction(equation, combination);
    return true;
  }
  const elements = c.elements(c.find(x));
  const [y] = outputs;
  const strides = reducedStrides(x.shape, axes);
  const parts: Element[][] = Array.from({ length: sizeOf(y.shape) }, () => []);
  offsets(x.shape, strides).forEach((to, i) => {
    parts[to].push(elements[i]);
  });
  const identity = c.known(y.dtype, startOf(combination, x.dtype));
  // A reduction of nothing may have many equal results.
  if (elements.length === 0) c.define(y, new Value(y.shape, y.dtype, { uniform: identity }));
  else {
    const results = parts.map((part) => combine(c, combination, y.dtype, part));
    c.define(y, new Value(y.shape, y.dtype, { elements: results }));
  }
  c.release(x);
  return true;
}

function startOf(combination: Combination, dtype: DType): number {
  return identityOf({ combination, dtype } as Parameters<typeof identityOf>[0]);
}

/** Combines elements one after the other; float32 sums and products in float64. */
function combine(c: Compilation, combination: Combination, dtype: DType, part: readonly Element[]): Element {
  if (part.length === 1) return part[0];
  const { writer: w } = c;
  const type = elementTypes[dtype];
  const doubled = type === "f32" && (combination === "sum" || combination === "prod");
  const push = (element: Element) => {
    c.push(element);
    if (doubled) w.op("f64.promote_f32");
  };
  push(part[0]);
  for (const element of part.slice(1)) {
    push(element);
    if (type === "i32") combineIntegers(c, combination, dtype);
    else w.op(`${doubled ? "f64" : type}.${instructions[combination]}`);
  }
  if (doubled) w.op("f32.demote_f64");
  return c.take(dtype);
}

function combineIntegers(c: Compilation, combination: Combination, dtype: DType): void {
  const { writer: w } = c;
  if (dtype === "bool") w.op(combination === "max" ? "i32.or" : "i32.and");
  else if (combination === "sum") w.op("i32.add");
  else {
    const b = w.keep("i32");
    const a = w.keep("i32");
    for (const x of [a, b, a, b]) w.get(x);
    w.op(combination === "max" ? "i32.gt_s" : "i32.lt_s", "select");
  }
}
