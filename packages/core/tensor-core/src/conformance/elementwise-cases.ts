import { add, mul, type Primitive, primitives as p, type Tensor } from "../index.js";
import type { PrimitiveCase } from "./primitive-case.js";
import { awayFromZero, betweenMultiples, booleans, type InputSpec, integers, uniform } from "./sampling.js";

type Draw = (shape: readonly number[]) => InputSpec;

/** The shapes of every elementwise case: ordinary, scalar, one element, empty, long enough for vector kernels. */
const SHAPES = [[2, 3], [], [1], [1, 1, 4], [0], [2, 0, 3], [3, 67]];

const any: Draw = (shape) => uniform(shape);
const within =
  (low: number, high: number): Draw =>
  (shape) =>
    uniform(shape, low, high);
const kinkless: Draw = (shape) => betweenMultiples(shape, 1, -3, 3);
const signed: Draw = (shape) => awayFromZero(shape);
const whole: Draw = (shape) => integers(shape, -3, 4);
const small: Draw = (shape) => integers(shape, 0, 3);

function cases(primitive: Primitive, draws: readonly Draw[], more: Partial<PrimitiveCase> = {}): PrimitiveCase[] {
  return SHAPES.map((shape) => ({ primitive, params: null, inputs: draws.map((draw) => draw(shape)), ...more }));
}

const unary: readonly [Primitive, Draw][] = [
  [p.neg, any],
  [p.neg, whole],
  [p.abs, signed],
  [p.abs, whole],
  [p.sign, signed],
  [p.sign, whole],
  [p.floor, kinkless],
  [p.ceil, kinkless],
  [p.round, (shape) => betweenMultiples(shape, 0.5, -5, 5)],
  [p.sqrt, within(0.3, 3)],
  [p.exp, any],
  [p.expm1, any],
  [p.log, within(0.2, 4)],
  [p.log1p, within(-0.5, 3)],
  [p.sin, any],
  [p.cos, any],
  [p.tan, within(-1.2, 1.2)],
  [p.asin, within(-0.8, 0.8)],
  [p.acos, within(-0.8, 0.8)],
  [p.atan, any],
  [p.sinh, any],
  [p.cosh, any],
  [p.tanh, any],
  [p.asinh, any],
  [p.acosh, within(1.3, 4)],
  [p.atanh, within(-0.8, 0.8)],
  [p.sigmoid, any],
  [p.relu, signed],
  [p.isNaN, any],
  [p.isFinite, any],
  [p.logicalNot, booleans],
  [p.erf, any],
  [p.erfc, any],
  [p.erfinv, within(-0.85, 0.85)],
  [p.lgamma, within(0.4, 5)],
  [p.softplus, within(-4, 4)],
  [p.normalLogCdf, within(-6, 3)],
];

const binary: readonly [Primitive, Draw, Draw][] = [
  [p.add, any, any],
  [p.add, whole, whole],
  [p.sub, any, any],
  [p.mul, any, any],
  [p.mul, whole, whole],
  [p.div, any, signed],
  [p.pow, within(0.3, 2), any],
  [p.atan2, signed, signed],
  [p.equal, small, small],
  [p.notEqual, small, small],
  [p.less, any, any],
  [p.lessEqual, small, small],
  [p.logicalAnd, booleans, booleans],
  [p.logicalOr, booleans, booleans],
  [p.logicalXor, booleans, booleans],
  [p.logAddExp, any, any],
  [p.xlogy, any, within(0.3, 3)],
  [p.logBeta, within(0.5, 4), within(0.5, 4)],
  [p.maximum, whole, whole],
  [p.minimum, whole, whole],
  [p.mod, whole, (shape) => integers(shape, 1, 4)],
];

/** The second operand is the first and something that is not close to 0: no ties. */
const apart = { prepare: ([a, d]: Tensor[]) => [a, add(a, d)] };

/** Cases of everything elementwise, for ordinary, scalar and empty shapes. */
export const elementwiseCases: readonly PrimitiveCase[] = [
  ...unary.flatMap(([primitive, draw]) => cases(primitive, [draw])),
  ...binary.flatMap(([primitive, a, b]) => cases(primitive, [a, b])),
  ...cases(p.maximum, [any, signed], apart),
  ...cases(p.minimum, [any, signed], apart),
  ...cases(p.mod, [kinkless, signed], { prepare: ([q, b]) => [mul(q, b), b] }),
  ...cases(p.where, [booleans, any, any]),
  ...cases(p.where, [booleans, whole, whole]),
  ...cases(p.polygamma, [within(0.5, 4)], { params: { order: 0 } }),
  ...cases(p.polygamma, [within(0.5, 4)], { params: { order: 2 } }),
  ...cases(p.gammainc, [within(0.5, 4), within(0.3, 5)], { differentiate: [1] }),
  ...cases(p.gammaincc, [within(0.5, 4), within(0.3, 5)], { differentiate: [1] }),
  ...cases(p.betainc, [within(0.5, 4), within(0.5, 4), within(0.1, 0.9)], { differentiate: [2] }),
  ...cases(p.cast, [kinkless], { params: { dtype: "int32" }, differentiate: [] }),
  ...cases(p.cast, [whole], { params: { dtype: "float64" }, differentiate: [] }),
  ...cases(p.cast, [whole], { params: { dtype: "bool" }, differentiate: [] }),
  ...cases(p.cast, [any], { params: { dtype: "float64" } }),
  ...cases(p.identity, [any], { params: { barrier: 0 } }),
];
