import {
  abs,
  acos,
  add,
  asin,
  atan,
  cos,
  cosh,
  div,
  exp,
  log,
  maximum,
  minimum,
  mul,
  neg,
  pow,
  requireObject,
  sin,
  sinh,
  special,
  sqrt,
  sub,
  type Tensor,
  tan,
  tanh,
  tensor,
  ValueError,
} from "@offprint/tensor-core";

/** A part of a formula: a number, a name, or an operation on other parts. */
export type FormulaNode =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "name"; readonly name: string }
  | {
      readonly kind: "call";
      readonly operation: FormulaOperation;
      readonly operands: readonly FormulaNode[];
    };

/** A formula that was read from a text, by `readFormula`. Plain data. */
export interface Formula {
  /** What was read. */
  readonly text: string;
  /** The operation that is done last. */
  readonly root: FormulaNode;
  /** The names in it, in the order in which they first appear. */
  readonly names: readonly string[];
}

type Operand = Tensor | number;

interface Operation {
  /** How many operands it takes; the last one may be given more often where there is no limit. */
  readonly operands: number;
  readonly plain: (...x: number[]) => number;
  readonly tensor: (...x: Operand[]) => Tensor;
}

const unary = (plain: (x: number) => number, tensor: (x: Operand) => Tensor): Operation => ({
  operands: 1,
  plain: plain as Operation["plain"],
  tensor: tensor as Operation["tensor"],
});
const binary = (plain: (x: number, y: number) => number, tensor: (x: Operand, y: Operand) => Tensor): Operation => ({
  operands: 2,
  plain: plain as Operation["plain"],
  tensor: tensor as Operation["tensor"],
});

const operations = {
  "+": binary((x, y) => x + y, add),
  "-": binary((x, y) => x - y, sub),
  "*": binary((x, y) => x * y, mul),
  "/": binary((x, y) => x / y, div),
  "^": binary((x, y) => x ** y, pow),
  negative: unary((x) => -x, neg),
  exp: unary(Math.exp, exp),
  log: unary(Math.log, log),
  log2: unary(Math.log2, (x) => mul(log(x), Math.LOG2E)),
  log10: unary(Math.log10, (x) => mul(log(x), Math.LOG10E)),
  sqrt: unary(Math.sqrt, sqrt),
  abs: unary(Math.abs, abs),
  sin: unary(Math.sin, sin),
  cos: unary(Math.cos, cos),
  tan: unary(Math.tan, tan),
  asin: unary(Math.asin, asin),
  acos: unary(Math.acos, acos),
  atan: unary(Math.atan, atan),
  sinh: unary(Math.sinh, sinh),
  cosh: unary(Math.cosh, cosh),
  tanh: unary(Math.tanh, tanh),
  erf: unary((x) => special.erf(tensor(x, { dtype: "float64" })).item(), special.erf),
  min: binary(Math.min, minimum),
  max: binary(Math.max, maximum),
} satisfies Record<string, Operation>;

/** What a formula can do: the signs `+ - * / ^`, `negative` for a minus sign in front, and functions by name. */
export type FormulaOperation = keyof typeof operations;

/** The functions that stand in formulas by name, and how many operands each takes. */
export const formulaFunctions: ReadonlyMap<string, number> = new Map(
  Object.entries(operations)
    .filter(([name]) => /^[a-z]/.test(name) && name !== "negative")
    .map(([name, { operands }]) => [name, operands]),
);

/**
 * The value of a formula, in operations of tensors: it is differentiated, batched and compiled as they are.
 *
 * @param formula Of `readFormula`.
 * @param values For every name in it, numbers or tensors whose shapes can be broadcast.
 * @returns A tensor, or a number where all values are numbers.
 * @throws ValueError for a name without a value
 * @example
 * const f = readFormula("a * exp(-b * x)");
 * formulaValue(f, { a: 2, b: 0.5, x: tensor([0, 1, 2]) }); // [2, 1.21, 0.74]
 */
export function formulaValue(formula: Formula, values: Readonly<Record<string, Tensor | number>>): Tensor | number {
  requireObject("formulaValue", "formula", formula, "a Formula");
  requireObject("formulaValue", "values", values, "a number or a tensor for every name");
  const missing = formula.names.find((name) => !Object.hasOwn(values, name));
  if (missing !== undefined) throw new ValueError(`formulaValue: values has no ${missing}; give a number or a tensor`);
  const of = (node: FormulaNode): Operand => {
    if (node.kind === "number") return node.value;
    if (node.kind === "name") return values[node.name]!;
    const operation: Operation = operations[node.operation];
    const operands = node.operands.map(of);
    // Numbers among themselves stay numbers: as tensors they would have a dtype of their own.
    return operands.every((each) => typeof each === "number")
      ? operation.plain(...operands)
      : operation.tensor(...operands);
  };
  return of(formula.root);
}
