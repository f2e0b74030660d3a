import { elementTypeCode } from "@offprint/onnx-format";
import type { ElementType, Equation } from "@offprint/tensor-core";
import type { Value } from "../model/graph-builder.js";
import { composedElementwise } from "./composed.js";
import type { LoweringContext } from "./context.js";
import * as hyperbolic from "./hyperbolic.js";
import { byDevice, isForGpu, type Lowering, lowerings, nativeOr } from "./lowering.js";
import { isAveragedSquare, meanOf } from "./means.js";
import * as rounding from "./rounding.js";
import * as trigonometry from "./trigonometry.js";

type Compose<P> = (c: LoweringContext, inputs: Value[], equation: Equation<P>) => Value;

/** Elementwise operators work on unexpanded operands; the result is expanded only where somebody needs it. */
function elementwise<P>(compose: Compose<P>): Lowering<P> {
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

function direct(operator: string, gives?: ElementType): Lowering<unknown> {
  return elementwise((c, inputs) => c.map(operator, inputs, gives ?? inputs[0].type));
}

/** Comparisons of booleans compare 0 and 1. */
function comparison(operator: string): Lowering<unknown> {
  return elementwise((c, inputs) =>
    c.map(operator, inputs[0].type === "bool" ? inputs.map((x) => toType(c, x, "int32")) : inputs, "bool"),
  );
}

export function toType(c: LoweringContext, x: Value, type: ElementType): Value {
  return x.type === type ? x : c.emit("Cast", [x], { shape: x.shape, type }, { to: elementTypeCode(type) });
}

const binary = (c: LoweringContext, operator: string, a: Value, b: Value | number, type: ElementType = a.type): Value =>
  c.map(operator, [a, typeof b === "number" ? c.scalar(a.type, b) : b], type);

/** GPUs compare numbers only. */
function equals(c: LoweringContext, inputs: Value[]): Value {
  const numbers = isForGpu(c) && inputs[0].type === "bool" ? inputs.map((x) => toType(c, x, "int32")) : inputs;
  return c.map("Equal", numbers, "bool");
}

function differs(c: LoweringContext, inputs: Value[]): Value {
  return c.map("Not", [equals(c, inputs)]);
}

/** GPUs negate floats only. */
function lacksIntegers(c: LoweringContext, x: Value): boolean {
  return isForGpu(c) && x.type === "int32";
}

function negative(c: LoweringContext, [x]: Value[]): Value {
  return lacksIntegers(c, x) ? c.map("Sub", [c.scalar("int32", 0), x]) : c.map("Neg", [x]);
}

/** ONNX Runtime's own logistic function is 0 below -18 in float32: its relative error is unbounded there. */
function sigmoid(c: LoweringContext, [x]: Value[]): Value {
  return c.map("Div", [c.scalar(x.type, 1), binary(c, "Add", c.map("Exp", [c.map("Neg", [x])]), 1)]);
}

/** Python's remainder from C's: where the signs of remainder and divisor differ, add the divisor. */
function floorMod(c: LoweringContext, [a, divisor]: Value[], equation: Equation): Value {
  const zero = c.scalar(a.type, 0);
  const b = a.type === "int32" && !c.constantOf(equation.inputs[1]) ? withoutZeros(c, divisor) : divisor;
  const r = remainder(c, a, b);
  const opposite = differs(c, [c.map("Less", [r, zero], "bool"), c.map("Less", [b, zero], "bool")]);
  const wrong = c.map("And", [opposite, c.map("Not", [c.map("Equal", [r, zero], "bool")])], "bool");
  return c.map("Where", [wrong, binary(c, "Add", r, b), r], a.type);
}

/** Integers modulo 0 are 0, which are those modulo 1; the engines give anything. */
function withoutZeros(c: LoweringContext, divisor: Value): Value {
  const isZero = c.map("Equal", [divisor, c.scalar("int32", 0)], "bool");
  return c.map("Where", [isZero, c.scalar("int32", 1), divisor], "int32");
}

function remainder(c: LoweringContext, a: Value, b: Value): Value {
  if (!isForGpu(c)) return c.map("Mod", [a, b], a.type, { fmod: 1 });
  // Integers on a GPU, whose division truncates.
  return c.map("Sub", [a, c.map("Mul", [c.map("Div", [a, b]), b])]);
}

const floorModOfFloats = composedElementwise(rounding.floorMod);
const signOfFloats = composedElementwise(rounding.sign);

function select(c: LoweringContext, [condition, a, b]: Value[]): Value {
  if (a.type !== "bool") return c.map("Where", [condition, a, b], a.type);
  // Booleans as integers: not every device selects them.
  const numbers = [a, b].map((x) => toType(c, x, "int32"));
  return toType(c, c.map("Where", [condition, ...numbers], "int32"), "bool");
}

/** GPUs fail at powers of operands that are broadcast, but for numbers. */
const powerOnGpu: Lowering<unknown> = (c, { inputs, outputs: [y] }) => {
  const operands = inputs.map((v) => (c.constantOf(v) === undefined ? c.value(v) : c.unexpanded(v)));
  c.define(y, c.map("Pow", operands, y.dtype));
};

const expm1OnCpu = composedElementwise(hyperbolic.expm1ByTanh);
const expm1OnGpu = composedElementwise(hyperbolic.expm1BySeries);

const [product, quotient] = [direct("Mul"), direct("Div")];
const square = elementwise((c, [x]) => binary(c, "Pow", x, 2));

export const elementwiseLowerings = lowerings({
  neg: elementwise(negative),
  abs: elementwise((c, [x]) => (lacksIntegers(c, x) ? c.map("Max", [x, negative(c, [x])]) : c.map("Abs", [x]))),
  sign: byDevice(direct("Sign"), signOfFloats),
  floor: direct("Floor"),
  ceil: direct("Ceil"),
  round: byDevice(direct("Round"), composedElementwise(rounding.round)),
  sqrt: direct("Sqrt"),
  exp: direct("Exp"),
  expm1: byDevice(expm1OnCpu, expm1OnGpu),
  log: direct("Log"),
  log1p: composedElementwise(hyperbolic.log1pByRounding),
  sin: direct("Sin"),
  cos: direct("Cos"),
  tan: nativeOr(
    direct("Tan"),
    elementwise((c, [x]) => binary(c, "Div", c.map("Sin", [x]), c.map("Cos", [x]))),
  ),
  asin: nativeOr(direct("Asin"), composedElementwise(trigonometry.asin)),
  acos: nativeOr(direct("Acos"), composedElementwise(trigonometry.acos)),
  atan: nativeOr(direct("Atan"), composedElementwise(trigonometry.atan)),
  sinh: nativeOr(direct("Sinh"), composedElementwise(hyperbolic.sinh)),
  cosh: nativeOr(direct("Cosh"), composedElementwise(hyperbolic.cosh)),
  tanh: direct("Tanh"),
  asinh: nativeOr(direct("Asinh"), composedElementwise(hyperbolic.asinh)),
  acosh: nativeOr(direct("Acosh"), composedElementwise(hyperbolic.acosh)),
  atanh: nativeOr(direct("Atanh"), composedElementwise(hyperbolic.atanh)),
  sigmoid: elementwise(sigmoid),
  relu: elementwise((c, [x]) => (x.type === "int32" ? binary(c, "Max", x, 0) : c.map("Relu", [x]))),
  isNaN: elementwise((c, [x]) => c.map("Not", [c.map("Equal", [x, x], "bool")])),
  // x - x is 0 for finite numbers and NaN for the others.
  isFinite: elementwise((c, [x]) => binary(c, "Equal", c.map("Sub", [x, x]), 0, "bool")),
  logicalNot: direct("Not"),
  add: direct("Add"),
  sub: direct("Sub"),
  mul: (c, equation) => {
    (isAveragedSquare(c, equation) ? square : product)(c, equation);
  },
  div: (c, equation) => {
    if (!meanOf(c, equation)) quotient(c, equation);
  },
  pow: byDevice(direct("Pow"), powerOnGpu),
  maximum: direct("Max"),
  minimum: direct("Min"),
  mod: (c, equation) => {
    const composition = isForGpu(c) && equation.inputs[0].dtype !== "int32" ? floorModOfFloats : elementwise(floorMod);
    composition(c, equation);
  },
  atan2: composedElementwise(trigonometry.atan2),
  equal: elementwise(equals),
  notEqual: elementwise(differs),
  less: comparison("Less"),
  lessEqual: comparison("LessOrEqual"),
  logicalAnd: direct("And"),
  logicalOr: elementwise((c, inputs) => {
    if (!isForGpu(c)) return c.map("Or", inputs);
    const negated = inputs.map((x) => c.map("Not", [x]));
    return c.map("Not", [c.map("And", negated)]);
  }),
  logicalXor: elementwise((c, inputs) => (isForGpu(c) ? differs(c, inputs) : c.map("Xor", inputs))),
  where: elementwise(select),
  cast: elementwise((c, [x], equation) => toType(c, x, equation.params.dtype)),
  identity: elementwise((c, [x]) => c.map("Identity", [x])),
});
