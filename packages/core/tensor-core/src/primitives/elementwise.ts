import { allocateUnwritten, convert, type DType, isFloat } from "../dtype.js";
import { DTypeError, ShapeError } from "../errors.js";
import type { FloatArray } from "../kernels/arrays.js";
import { type MapName, map } from "../kernels/map.js";
import { sigmoid } from "../kernels/special/log-exp.js";
import {
  add,
  cast,
  cos,
  cosh,
  div,
  equal,
  exp,
  floor,
  greater,
  less,
  log,
  logicalOr,
  mul,
  neg,
  pow,
  sign,
  sin,
  sinh,
  sqrt,
  sub,
  where,
} from "../ops/elementwise.js";
import { broadcastTo } from "../ops/movement.js";
import { bindOne, definePrimitive, type Primitive, type Spec, type VjpContext } from "../primitive.js";
import { formatShape, sameShape } from "../shape.js";
import type { HostStorage } from "../storage.js";
import { detached, type Pullback } from "../tape.js";
import { contiguousData, hostTensor, isContiguous, type Tensor } from "../tensor.js";
import { mapKernel } from "./loops.js";

/** Which element types an elementwise primitive takes, and what it gives. */
export interface Typing {
  readonly takes: readonly DType[];
  readonly gives?: DType;
}

/** Takes floats and gives the same. */
export const FLOAT: Typing = { takes: ["float32", "float64"] };
const NUMBER: Typing = { takes: ["float32", "float64", "int32"] };
const LOGICAL: Typing = { takes: ["bool"] };
const COMPARE: Typing = { takes: ["float32", "float64", "int32", "bool"], gives: "bool" };
const TEST: Typing = { takes: ["float32", "float64", "int32"], gives: "bool" };

/** The gradient of each operand from that of the result, the operands and the result. */
export type Vjp = (g: Tensor, inputs: readonly Tensor[], output: Tensor) => Pullback;

/** Makes every operand of a batched elementwise operation carry the batch. */
export function spreadBatch(inputs: readonly Tensor[], batched: readonly boolean[], size: number): Tensor[] {
  return inputs.map((x, i) => (batched[i] ? x : broadcastTo(x, [size, ...x.shape])));
}

function checkOperands(name: string, inputs: readonly Spec[], takes: readonly DType[]): void {
  const [first] = inputs;
  for (const x of inputs) {
    if (!sameShape(x.shape, first.shape)) {
      throw new ShapeError(
        `${name}: shapes ${formatShape(first.shape)} and ${formatShape(x.shape)} differ; broadcast first`,
      );
    }
    if (x.dtype !== first.dtype) {
      throw new DTypeError(`${name}: dtypes ${first.dtype} and ${x.dtype} differ; cast one of them first`);
    }
  }
  if (!takes.includes(first.dtype)) {
    throw new DTypeError(`${name}: dtype ${first.dtype} is not supported; cast to ${takes.join(" or ")} first`);
  }
}

/** Contiguous fast path of a unary primitive, where there is one. */
export type FastMap = (x: Tensor) => Tensor | undefined;

/**
 * The definition of an elementwise primitive by its scalar function and its gradient; `whole` is the function for
 * int32 where that is another one.
 */
export function elementwise(
  name: string,
  arity: number,
  typing: Typing,
  scalar: (...x: number[]) => number,
  vjp: Vjp | undefined,
  fast?: FastMap,
  whole?: (...x: number[]) => number,
): Primitive<null> {
  const kernel = mapKernel(scalar, arity, name);
  const integerKernel = whole === undefined ? kernel : mapKernel(whole, arity);
  const primitive: Primitive<null> = definePrimitive<null>({
    name,
    outputs(inputs) {
      checkOperands(name, inputs, typing.takes);
      return [{ shape: inputs[0].shape, dtype: typing.gives ?? inputs[0].dtype }];
    },
    host: (inputs, _, [spec]) => [fast?.(inputs[0]) ?? (spec.dtype === "int32" ? integerKernel : kernel)(inputs, spec)],
    batch: (inputs, batched, _, size) => [bindOne(primitive, spreadBatch(inputs, batched, size), null)],
    scalar: (_, dtype) => (dtype === "int32" ? (whole ?? scalar) : scalar),
    ...(vjp && {
      vjp: ([g]: readonly Tensor[], { inputs, outputs }: VjpContext<null>) => vjp(g, inputs, outputs[0]),
    }),
  });
  return primitive;
}

/** `elementwise` with one operand. */
export const unary = (name: string, typing: Typing, f: (x: number) => number, vjp?: Vjp, fast?: FastMap) =>
  elementwise(name, 1, typing, f as (...x: number[]) => number, vjp, fast);
/** `elementwise` with two operands. */
export const binary = (
  name: string,
  typing: Typing,
  f: (a: number, b: number) => number,
  vjp?: Vjp,
  whole?: (a: number, b: number) => number,
) => elementwise(name, 2, typing, f as (...x: number[]) => number, vjp, undefined, whole as (...x: number[]) => number);

export const negP = unary(
  "neg",
  NUMBER,
  (x) => -x,
  (g) => [() => neg(g)],
);
export const absP = unary("abs", NUMBER, Math.abs, (g, [x]) => [() => mul(g, sign(x))]);
export const signP = unary("sign", NUMBER, Math.sign, zeroGradient);
export const floorP = unary("floor", FLOAT, Math.floor, zeroGradient);
export const ceilP = unary("ceil", FLOAT, Math.ceil, zeroGradient);
/** Halves go to the even neighbour, as in NumPy and ONNX. */
export const roundP = unary("round", FLOAT, roundHalfEven, zeroGradient);
export const sqrtP = unary("sqrt", FLOAT, Math.sqrt, (g, _, y) => [() => div(g, mul(y, 2))], fastMap("sqrt"));
export const expP = unary("exp", FLOAT, Math.exp, (g, _, y) => [() => mul(g, y)], fastMap("exp"));
// From the operand: e^x = y + 1 would have no digits left where x is far below 0.
export const expm1P = unary("expm1", FLOAT, Math.expm1, (g, [x]) => [() => mul(g, exp(x))], fastMap("expm1"));
export const logP = unary("log", FLOAT, Math.log, (g, [x]) => [() => div(g, x)], fastMap("log"));
export const log1pP = unary("log1p", FLOAT, Math.log1p, (g, [x]) => [() => div(g, add(x, 1))], fastMap("log1p"));
export const sinP = unary("sin", FLOAT, Math.sin, (g, [x]) => [() => mul(g, cos(x))], fastMap("sin"));
export const cosP = unary("cos", FLOAT, Math.cos, (g, [x]) => [() => neg(mul(g, sin(x)))], fastMap("cos"));
export const tanP = unary("tan", FLOAT, Math.tan, (g, _, y) => [() => mul(g, add(mul(y, y), 1))]);
export const asinP = unary("asin", FLOAT, Math.asin, (g, [x]) => [() => div(g, sqrt(sub(1, mul(x, x))))]);
export const acosP = unary("acos", FLOAT, Math.acos, (g, [x]) => [() => neg(div(g, sqrt(sub(1, mul(x, x)))))]);
export const atanP = unary("atan", FLOAT, Math.atan, (g, [x]) => [() => div(g, add(mul(x, x), 1))]);
export const sinhP = unary("sinh", FLOAT, Math.sinh, (g, [x]) => [() => mul(g, cosh(x))]);
export const coshP = unary("cosh", FLOAT, Math.cosh, (g, [x]) => [() => mul(g, sinh(x))]);
export const tanhP = unary("tanh", FLOAT, Math.tanh, (g, _, y) => [() => mul(g, sub(1, mul(y, y)))], fastMap("tanh"));
export const asinhP = unary("asinh", FLOAT, Math.asinh, (g, [x]) => [() => div(g, sqrt(add(mul(x, x), 1)))]);
export const acoshP = unary("acosh", FLOAT, Math.acosh, (g, [x]) => [() => div(g, sqrt(sub(mul(x, x), 1)))]);
export const atanhP = unary("atanh", FLOAT, Math.atanh, (g, [x]) => [() => div(g, sub(1, mul(x, x)))]);
export const sigmoidP = unary(
  "sigmoid",
  FLOAT,
  sigmoid,
  (g, _, y) => [() => mul(g, mul(y, sub(1, y)))],
  fastMap("sigmoid"),
);
/** The subgradient at 0 is 0. It is told from the result, so that the operand need not be kept. */
export const reluP = unary(
  "relu",
  NUMBER,
  (x) => either(Number(x > 0) | Number(x !== x), x, 0),
  (g, _, y) => [() => where(greater(y, 0), g, 0)],
);
export const isNanP = unary("isNaN", TEST, (x) => (x !== x ? 1 : 0));
export const isFiniteP = unary("isFinite", TEST, (x) => (x - x === 0 ? 1 : 0));
export const notP = unary("logicalNot", LOGICAL, (x) => 1 - x);

export const addP = binary(
  "add",
  NUMBER,
  (a, b) => a + b,
  (g) => [() => g, () => g],
);
export const subP = binary(
  "sub",
  NUMBER,
  (a, b) => a - b,
  (g) => [() => g, () => neg(g)],
);
export const mulP = binary(
  "mul",
  NUMBER,
  (a, b) => a * b,
  (g, [a, b]) => [() => mul(g, b), () => mul(g, a)],
  // A product of integers may need more than the 53 bits of a double.
  Math.imul,
);
export const divP = binary(
  "div",
  FLOAT,
  (a, b) => a / b,
  (g, [, b], y) => [() => div(g, b), () => neg(mul(g, div(y, b)))],
);
export const powP = binary("pow", FLOAT, power, (g, [a, b], y) => [
  // Where the exponent is 0 the derivative is 0, also at base 0.
  () => mul(g, where(equal(b, 0), 0, mul(b, pow(a, where(equal(b, 0), 1, sub(b, 1)))))),
  // d/db a^b = a^b ln a; at base 0 the limit for b > 0 is 0.
  () => mul(g, where(equal(a, 0), 0, mul(y, log(where(equal(a, 0), 1, a))))),
]);
/** The gradient of equal operands is shared. */
export const maximumP = binary("maximum", NUMBER, maximumOf, (g, [a, b]) =>
  extremeGradient(g, greater(a, b), equal(a, b)),
);
export const minimumP = binary("minimum", NUMBER, minimumOf, (g, [a, b]) =>
  extremeGradient(g, less(a, b), equal(a, b)),
);
/** The result has the sign of the divisor, as in Python; NaN is stored as 0 in integers, which is what NumPy gives. */
export const modP = binary("mod", NUMBER, floorMod, (g, [a, b]) => [() => g, () => neg(mul(g, floor(div(a, b))))]);
export const atan2P = binary("atan2", FLOAT, Math.atan2, (g, [a, b]) => [
  () => div(mul(g, b), add(mul(a, a), mul(b, b))),
  () => neg(div(mul(g, a), add(mul(a, a), mul(b, b)))),
]);
export const equalP = binary("equal", COMPARE, (a, b) => Number(a === b));
export const notEqualP = binary("notEqual", COMPARE, (a, b) => Number(a !== b));
export const lessP = binary("less", COMPARE, (a, b) => Number(a < b));
export const lessEqualP = binary("lessEqual", COMPARE, (a, b) => Number(a <= b));
export const andP = binary("logicalAnd", LOGICAL, (a, b) => a & b);
export const orP = binary("logicalOr", LOGICAL, (a, b) => a | b);
export const xorP = binary("logicalXor", LOGICAL, (a, b) => a ^ b);

const select = (c: number, a: number, b: number) => either(Number(c !== 0), a, b);
const selectKernel = mapKernel(select as (...x: number[]) => number, 3);

/** `condition ? a : b`; the condition is bool, the others share shape and dtype. */
export const whereP: Primitive<null> = definePrimitive<null>({
  name: "where",
  outputs([condition, a, b]) {
    if (condition.dtype !== "bool") throw new DTypeError(`where: the condition is ${condition.dtype}; it must be bool`);
    checkOperands("where", [a, b], ["float32", "float64", "int32", "bool"]);
    if (!sameShape(condition.shape, a.shape)) {
      throw new ShapeError(
        `where: condition ${formatShape(condition.shape)} and values ${formatShape(a.shape)} differ`,
      );
    }
    return [{ shape: a.shape, dtype: a.dtype }];
  },
  // Loops are compiled by the element type of the first operand and of the result.
  host: (inputs, _, [spec]) => [selectKernel(inputs, spec)],
  vjp: ([g], { inputs: [condition] }) => [null, () => where(condition, g, 0), () => where(condition, 0, g)],
  batch: (inputs, batched, _, size) => [bindOne(whereP, spreadBatch(inputs, batched, size), null)],
  scalar: () => select as (...x: number[]) => number,
});

/** What `cast` turns elements into. */
export interface CastParams {
  readonly dtype: DType;
}

/** Conversion to another element type; floats become integers by truncation, anything but 0 becomes true. */
export const castP: Primitive<CastParams> = definePrimitive<CastParams>({
  name: "cast",
  outputs: ([x], { dtype }) => [{ shape: x.shape, dtype }],
  host: ([x], { dtype }) => [hostTensor(convert(contiguousData(x), dtype), x.shape, dtype)],
  vjp: ([g], { inputs: [x], params }) => [isFloat(x.dtype) && isFloat(params.dtype) ? () => cast(g, x.dtype) : null],
  batch: ([x], _, params) => [bindOne(castP, [x], params)],
});

/** The value itself; a barrier number keeps it apart from equal values in a graph. */
export const identityP: Primitive<{ barrier: number }> = definePrimitive<{ barrier: number }>({
  name: "identity",
  outputs: ([x]) => [{ shape: x.shape, dtype: x.dtype }],
  host: ([x]) => [detached(x)],
  vjp: ([g]) => [() => g],
  batch: ([x], _, params) => [bindOne(identityP, [x], params)],
});

function zeroGradient(): Pullback {
  return [null];
}

function extremeGradient(g: Tensor, first: Tensor, tie: Tensor): Pullback {
  const shared = where(tie, mul(g, 0.5), 0);
  return [() => where(first, g, shared), () => where(logicalOr(first, tie), shared, g)];
}

/** What is added to this is rounded to a whole number, halves to the even one, if it is below 2^51. */
const ROUNDER = 1.5 * 2 ** 52;

function roundHalfEven(x: number): number {
  if (Math.abs(x) < 2 ** 51) return x + ROUNDER - ROUNDER || x * 0;
  return x % 1 === 0 ? x : 2 * Math.round(x / 2);
}

const both = new Float64Array(2);

/** a where `first` is 1, b where it is 0, without a branch: of numbers in no order every second one is foretold wrongly. */
function either(first: number, a: number, b: number): number {
  both[0] = b;
  both[1] = a;
  return both[first];
}

function power(a: number, b: number): number {
  if (b === 2) return a * a;
  // JavaScript gives NaN for 1 ** NaN and for 1 or -1 to an infinite power; IEEE 754, NumPy and ONNX give 1.
  return a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b;
}

function maximumOf(a: number, b: number): number {
  return either(Number(b > a) | Number(b !== b), b, a);
}

function minimumOf(a: number, b: number): number {
  return either(Number(b < a) | Number(b !== b), b, a);
}

function floorMod(a: number, b: number): number {
  const r = a % b;
  if (r === 0) return b < 0 ? -0 : 0;
  return r < 0 !== b < 0 ? r + b : r;
}

/** Fewer elements are done by the loop before a vector kernel is set up. */
const VECTOR_FROM = 16;

/** The vector kernel of a unary function, for contiguous operands long enough to gain from it. */
function fastMap(name: MapName): FastMap {
  return (x) => {
    const { strides } = x.storage as HostStorage;
    if (x.size < VECTOR_FROM || !isContiguous(x.shape, strides)) return undefined;
    const out = allocateUnwritten(x.dtype, x.size) as FloatArray;
    map(name, contiguousData(x) as FloatArray, out);
    return hostTensor(out, x.shape, x.dtype);
  };
}
