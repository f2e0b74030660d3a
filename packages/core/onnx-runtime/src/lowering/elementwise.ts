import type { Equation } from "@offprint/tensor-core";
import { dataTypeCode } from "../model/encode.js";
import type { ElementType, Value } from "../model/onnx-graph.js";
import type { LoweringContext } from "./context.js";
import type { Lowering } from "./lowering.js";

type Compose = (c: LoweringContext, inputs: Value[], equation: Equation) => Value;

/** Elementwise operators work on unexpanded operands; the result is expanded only where somebody needs it. */
function elementwise(compose: Compose): Lowering {
  return (c, equation) => {
    c.define(
      equation.outputs[0],
      compose(
        c,
        equation.inputs.map((v) => c.unexpanded(v)),
        equation,
      ),
    );
  };
}

function direct(operator: string, gives?: ElementType): Lowering {
  return elementwise((c, inputs) => c.map(operator, inputs, gives ?? inputs[0].type));
}

/** An operator that ONNX Runtime has in float32 only, composed of others in float64. */
function float32Or(operator: string, float64: Compose): Lowering {
  return elementwise((c, inputs, equation) =>
    inputs[0].type === "float64" ? float64(c, inputs, equation) : c.map(operator, inputs),
  );
}

function float32Only(operator: string): Lowering {
  return elementwise((c, inputs, equation) => {
    if (inputs[0].type === "float64")
      throw c.unsupported(equation.primitive.name, "float64", "ONNX Runtime has it in float32 only");
    return c.map(operator, inputs);
  });
}

/** Comparisons of booleans compare 0 and 1. */
function comparison(operator: string): Lowering {
  return elementwise((c, inputs) =>
    c.map(operator, inputs[0].type === "bool" ? inputs.map((x) => toType(c, x, "int32")) : inputs, "bool"),
  );
}

export function toType(c: LoweringContext, x: Value, type: ElementType): Value {
  return c.cast(x, type, dataTypeCode(type));
}

const binary = (c: LoweringContext, operator: string, a: Value, b: Value | number, type: ElementType = a.type): Value =>
  c.map(operator, [a, typeof b === "number" ? c.scalar(a.type, b) : b], type);

/** `e^x - 1 = tanh(x / 2) (e^x + 1)`: exact near 0, where subtracting 1 would lose all digits. */
function expm1(c: LoweringContext, x: Value): Value {
  return binary(c, "Mul", c.map("Tanh", [binary(c, "Mul", x, 0.5)]), binary(c, "Add", c.map("Exp", [x]), 1));
}

/** `ln(1 + x)`, corrected for the rounding of `u = 1 + x` by the factor `x / (u - 1)`. */
function log1p(c: LoweringContext, x: Value): Value {
  const u = binary(c, "Add", x, 1);
  const ln = c.map("Log", [u]);
  const rounding = binary(c, "Sub", u, 1);
  const exact = binary(c, "Equal", rounding, 0, "bool");
  const safe = c.map("Where", [exact, c.scalar(x.type, 1), rounding], x.type);
  const corrected = binary(c, "Div", binary(c, "Mul", ln, x), safe);
  const large = binary(c, "Greater", x, 1, "bool");
  return c.map("Where", [exact, x, c.map("Where", [large, ln, corrected], x.type)], x.type);
}

function sinh(c: LoweringContext, x: Value): Value {
  const size = c.map("Abs", [x]);
  const small = expm1(c, binary(c, "Min", size, 20));
  // (t + t / (t + 1)) / 2 with t = e^|x| - 1; beyond 20 the second exponential is below the rounding of the first.
  const near = binary(c, "Mul", binary(c, "Add", small, binary(c, "Div", small, binary(c, "Add", small, 1))), 0.5);
  const half = c.map("Exp", [binary(c, "Mul", size, 0.5)]);
  const far = binary(c, "Mul", binary(c, "Mul", half, 0.5), half);
  return binary(
    c,
    "Mul",
    c.map("Sign", [x]),
    c.map("Where", [binary(c, "Greater", size, 20, "bool"), far, near], x.type),
  );
}

function cosh(c: LoweringContext, x: Value): Value {
  const half = c.map("Exp", [binary(c, "Mul", c.map("Abs", [x]), 0.5)]);
  const grow = binary(c, "Mul", binary(c, "Mul", half, 0.5), half);
  const shrink = binary(c, "Div", binary(c, "Div", c.scalar(x.type, 0.5), half), half);
  return binary(c, "Add", grow, shrink);
}

/** `sign(x) ln(|x| + sqrt(x^2 + 1))`, written so that nothing cancels or overflows. */
function asinh(c: LoweringContext, x: Value): Value {
  const size = c.map("Abs", [x]);
  const bounded = binary(c, "Min", size, 1e9);
  const square = binary(c, "Mul", bounded, bounded);
  const root = c.map("Sqrt", [binary(c, "Add", square, 1)]);
  const near = log1p(c, binary(c, "Add", bounded, binary(c, "Div", square, binary(c, "Add", root, 1))));
  const far = binary(c, "Add", c.map("Log", [size]), Math.LN2);
  return binary(
    c,
    "Mul",
    c.map("Sign", [x]),
    c.map("Where", [binary(c, "Greater", size, 1e9, "bool"), far, near], x.type),
  );
}

/** `ln(1 + t + sqrt(2 t + t^2))` with `t = x - 1`. */
function acosh(c: LoweringContext, x: Value): Value {
  const t = binary(c, "Sub", binary(c, "Min", x, 1e9), 1);
  const root = c.map("Sqrt", [binary(c, "Mul", t, binary(c, "Add", t, 2))]);
  const far = binary(c, "Add", c.map("Log", [x]), Math.LN2);
  return c.map("Where", [binary(c, "Greater", x, 1e9, "bool"), far, log1p(c, binary(c, "Add", t, root))], x.type);
}

function atanh(c: LoweringContext, x: Value): Value {
  const size = c.map("Abs", [x]);
  const ratio = binary(c, "Div", binary(c, "Mul", size, 2), binary(c, "Sub", c.scalar(x.type, 1), size));
  return binary(c, "Mul", c.map("Sign", [x]), binary(c, "Mul", log1p(c, ratio), 0.5));
}

/** Python's remainder from C's: where the signs of remainder and divisor differ, add the divisor. */
function floorMod(c: LoweringContext, [a, b]: Value[]): Value {
  if (a.type === "int32") return c.map("Mod", [a, b]);
  const r = c.map("Mod", [a, b], a.type, { fmod: 1 });
  const zero = c.scalar(a.type, 0);
  const opposite = c.map("Xor", [c.map("Less", [r, zero], "bool"), c.map("Less", [b, zero], "bool")], "bool");
  const wrong = c.map("And", [opposite, c.map("Not", [c.map("Equal", [r, zero], "bool")])], "bool");
  return c.map("Where", [wrong, binary(c, "Add", r, b), r], a.type);
}

function atan2(c: LoweringContext, [y, x]: Value[], equation: Equation): Value {
  if (y.type === "float64")
    throw c.unsupported(equation.primitive.name, "float64", "ONNX Runtime has Atan in float32 only");
  const zero = c.scalar(y.type, 0);
  const less = (a: Value) => c.map("Less", [a, zero], "bool");
  const xIsZero = c.map("Equal", [x, zero], "bool");
  const angle = c.map("Atan", [binary(c, "Div", y, c.map("Where", [xIsZero, c.scalar(y.type, 1), x], y.type))]);
  const half = c.map("Where", [less(y), c.scalar(y.type, -Math.PI), c.scalar(y.type, Math.PI)], y.type);
  const quadrant = c.map("Where", [less(x), binary(c, "Add", angle, half), angle], y.type);
  return c.map("Where", [xIsZero, binary(c, "Mul", c.map("Sign", [y]), Math.PI / 2), quadrant], y.type);
}

function select(c: LoweringContext, [condition, a, b]: Value[]): Value {
  if (a.type !== "bool") return c.map("Where", [condition, a, b], a.type);
  const taken = c.map("And", [condition, a], "bool");
  return c.map("Or", [taken, c.map("And", [c.map("Not", [condition]), b], "bool")], "bool");
}

export const elementwiseLowerings = {
  neg: direct("Neg"),
  abs: direct("Abs"),
  sign: direct("Sign"),
  floor: direct("Floor"),
  ceil: direct("Ceil"),
  round: direct("Round"),
  sqrt: direct("Sqrt"),
  exp: direct("Exp"),
  expm1: elementwise((c, [x]) => expm1(c, x)),
  log: direct("Log"),
  log1p: elementwise((c, [x]) => log1p(c, x)),
  sin: direct("Sin"),
  cos: direct("Cos"),
  tan: float32Or("Tan", (c, [x]) => binary(c, "Div", c.map("Sin", [x]), c.map("Cos", [x]))),
  asin: float32Only("Asin"),
  acos: float32Only("Acos"),
  atan: float32Only("Atan"),
  sinh: float32Or("Sinh", (c, [x]) => sinh(c, x)),
  cosh: float32Or("Cosh", (c, [x]) => cosh(c, x)),
  tanh: direct("Tanh"),
  asinh: float32Or("Asinh", (c, [x]) => asinh(c, x)),
  acosh: float32Or("Acosh", (c, [x]) => acosh(c, x)),
  atanh: float32Or("Atanh", (c, [x]) => atanh(c, x)),
  sigmoid: direct("Sigmoid"),
  relu: elementwise((c, [x]) => (x.type === "int32" ? binary(c, "Max", x, 0) : c.map("Relu", [x]))),
  isNaN: elementwise((c, [x]) => c.map("Not", [c.map("Equal", [x, x], "bool")])),
  // x - x is 0 for finite numbers and NaN for the others.
  isFinite: elementwise((c, [x]) => binary(c, "Equal", c.map("Sub", [x, x]), 0, "bool")),
  logicalNot: direct("Not"),
  add: direct("Add"),
  sub: direct("Sub"),
  mul: direct("Mul"),
  div: direct("Div"),
  pow: direct("Pow"),
  maximum: direct("Max"),
  minimum: direct("Min"),
  mod: elementwise(floorMod),
  atan2: elementwise(atan2),
  equal: direct("Equal", "bool"),
  notEqual: elementwise((c, inputs) => c.map("Not", [c.map("Equal", inputs, "bool")])),
  less: comparison("Less"),
  lessEqual: comparison("LessOrEqual"),
  logicalAnd: direct("And"),
  logicalOr: direct("Or"),
  logicalXor: direct("Xor"),
  where: elementwise(select),
  cast: elementwise((c, [x], equation) => toType(c, x, equation.params.dtype)),
  identity: elementwise((c, [x]) => c.map("Identity", [x])),
};
