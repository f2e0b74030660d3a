import type { LaneOperation, SimdCode } from "./simd-code.js";

/** Writes code that leaves the result of a primitive for the given variables on the stack. */
type Writer = (code: SimdCode, operands: readonly number[]) => void;

/** The primitives that one instruction carries out, operands in order. */
const direct: Readonly<Record<string, LaneOperation>> = {
  add: "add",
  sub: "sub",
  mul: "mul",
  div: "div",
  neg: "neg",
  abs: "abs",
  sqrt: "sqrt",
  maximum: "max",
  minimum: "min",
  equal: "equal",
  notEqual: "notEqual",
  less: "less",
  lessEqual: "lessEqual",
  logicalAnd: "and",
  logicalOr: "or",
  logicalNot: "not",
};

const composed: Readonly<Record<string, Writer>> = {
  identity: (code, [x]) => code.get(x),
  relu: (code, [x]) => code.get(x).constant(0).op("max"),
  where: (code, [condition, a, b]) => code.get(a).get(b).get(condition).op("select"),
  sigmoid,
};

/** The code of a primitive, or nothing where there is none. */
export function writerOf(primitive: string): Writer | undefined {
  if (Object.hasOwn(composed, primitive)) return composed[primitive];
  if (!Object.hasOwn(direct, primitive)) return undefined;
  return (code, operands) => {
    for (const operand of operands) code.get(operand);
    code.op(direct[primitive]);
  };
}

/** `1 / (1 + e^-|x|)`, times `e^-|x|` where x is negative: no exponential overflows. */
function sigmoid(code: SimdCode, [x]: readonly number[]): void {
  const e = code.variable();
  exponentialOfMinusMagnitude(code, x);
  code.set(e);
  code.constant(1).get(e);
  code.constant(0).get(x).op("lessEqual");
  code.op("select").constant(1).get(e).op("add").op("div");
}

/** What the exponential needs to know of a float format. */
const formats = {
  float32: {
    /** Below this `1 + e^x` is 1, and `e^x` not yet subnormal. */
    least: -87,
    /** 1.5 times the power of two whose unit in the last place is 1. */
    rounding: 12582912,
    mantissaBits: 23,
    /** ln 2, its leading part with zeros at the end, and the rest. */
    log2: [0.693359375, -2.1219444005469057e-4],
    degree: 6,
  },
  float64: {
    least: -708,
    rounding: 6755399441055744,
    mantissaBits: 52,
    log2: [0.6931471803691238, 1.9082149292705877e-10],
    degree: 13,
  },
} as const;

/**
 * `e^-|x|`: with `-|x| = n ln 2 + r`, a Taylor polynomial for `e^r`, whose terms fall by at least 0.35 each, and `n` added
 * to the exponent bits. Exact at 0, accurate to about the rounding of the format.
 */
function exponentialOfMinusMagnitude(code: SimdCode, x: number): void {
  const { least, rounding, mantissaBits, log2, degree } = formats[code.lane];
  const [y, n, r] = [code.variable(), code.variable(), code.variable()];
  code.get(x).op("abs").op("neg").constant(least).op("max").set(y);
  code.get(y).constant(Math.LOG2E).op("mul").op("nearest").set(n);
  code.get(y).get(n).constant(log2[0]).op("mul").op("sub").get(n).constant(log2[1]).op("mul").op("sub").set(r);
  code.constant(1 / factorial(degree));
  for (let k = degree - 1; k >= 0; k--)
    code
      .get(r)
      .op("mul")
      .constant(1 / factorial(k))
      .op("add");
  // Adding `rounding` leaves the integer n in the low bits of the sum.
  code.get(n).constant(rounding).op("add").shift(mantissaBits).op("addInteger");
}

function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1);
}
