import type { DType } from "../dtype.js";
import type { Equation } from "../graph/builder.js";
import { paramsText } from "../graph/params.js";
import type { CastParams } from "../primitives/elementwise.js";
import type { Compilation } from "./compilation.js";
import { negation, withoutSigns } from "./signs.js";
import { type Element, elementTypes, Value } from "./values.js";

/** Whether an operation computes each element of its result from the same elements of its operands. */
export function isElementwise({ primitive }: Equation): boolean {
  return primitive.scalar !== undefined || primitive.name === "cast";
}

/** Writes an elementwise operation on few elements one by one; equal computations are carried out once. */
export function writeElements(c: Compilation, equation: Equation): void {
  const [y] = equation.outputs;
  const values = equation.inputs.map((v) => c.find(v));
  const uniform = values.every((v) => v.uniform !== undefined);
  if (uniform && (values.length > 0 || y.shape.length > 0) && new Value(y.shape, y.dtype, {}).size > c.small) {
    const element = compute(
      c,
      equation,
      values.map((v) => v.uniform as Element),
    );
    c.define(y, new Value(y.shape, y.dtype, { uniform: element }));
    return;
  }
  const operands = values.map((v) => c.elements(v));
  const count = new Value(y.shape, y.dtype, {}).size;
  const elements = Array.from({ length: count }, (_, i) =>
    compute(
      c,
      equation,
      operands.map((o) => o[i]),
    ),
  );
  c.define(y, new Value(y.shape, y.dtype, { elements }));
}

/** The result for one element of each operand. */
export function compute(c: Compilation, equation: Equation, operands: readonly Element[]): Element {
  const known = fold(equation, operands);
  if (known !== undefined) return known;
  const plain = withoutSigns(equation, operands);
  const result = computeOnce(c, plain.equation, plain.operands);
  return plain.negated ? computeOnce(c, negation(equation), [result]) : result;
}

function computeOnce(c: Compilation, equation: Equation, operands: readonly Element[]): Element {
  const { primitive, params, inputs, outputs } = equation;
  const negative = primitive.name === "neg";
  if (negative && operands[0].negated !== undefined) return operands[0].negated;
  const dtypes = inputs.map((v) => v.dtype).join();
  const key = `${primitive.name}${params === null ? "" : paramsText(params)} ${dtypes} ${operands.map(nameOf).join()}`;
  return c.once(key, () => {
    c.scalarCode.write(
      equation,
      operands.map((element) => () => c.push(element)),
    );
    const taken = c.take(outputs[0].dtype);
    return negative ? { ...taken, negated: operands[0] } : taken;
  });
}

function nameOf({ type, constant, local }: Element): string {
  return local !== undefined ? `L${local}` : `${type}${Object.is(constant, -0) ? "-0" : constant}`;
}

/** What is known without computing: results of numbers, and operands that the operation leaves as they are. */
function fold({ primitive, params, inputs, outputs }: Equation, operands: readonly Element[]): Element | undefined {
  const type = elementTypes[outputs[0].dtype];
  const constants = operands.map((o) => o.constant);
  if (constants.every((x) => x !== undefined)) {
    const f =
      primitive.name === "cast" ? castOf((params as CastParams).dtype) : primitive.scalar?.(params, inputs[0].dtype);
    if (f !== undefined) return { type, constant: rounded(outputs[0].dtype, f(...(constants as number[]))) };
  }
  const [a, b] = operands;
  switch (primitive.name) {
    case "mul":
      return constants[0] === 1 ? b : constants[1] === 1 ? a : undefined;
    case "div":
      return constants[1] === 1 ? a : undefined;
    case "sub":
      return Object.is(constants[1], 0) ? a : undefined;
    case "add":
      return Object.is(constants[0], -0) ? b : Object.is(constants[1], -0) ? a : undefined;
    case "where":
      return constants[0] === undefined ? undefined : operands[constants[0] !== 0 ? 1 : 2];
    case "cast":
      return inputs[0].dtype === (params as CastParams).dtype ? a : undefined;
  }
  return undefined;
}

function castOf(dtype: DType): (x: number) => number {
  return dtype === "bool" ? (x) => (x !== 0 ? 1 : 0) : (x) => x;
}

/** A number as an element type holds it. */
export function rounded(dtype: DType, x: number): number {
  if (dtype === "float32") return Math.fround(x);
  return dtype === "int32" ? x | 0 : Number(x);
}
