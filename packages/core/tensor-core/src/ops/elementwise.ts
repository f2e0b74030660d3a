import { asTensor } from "../construct.js";
import type { DType } from "../dtype.js";
import { requireKnownDType } from "../dtype.js";
import { isWeak, strong, weakResult, widened } from "../literals.js";
import { bindOne } from "../primitive.js";
import {
  absP,
  acoshP,
  acosP,
  addP,
  andP,
  asinhP,
  asinP,
  atan2P,
  atanhP,
  atanP,
  castP,
  ceilP,
  coshP,
  cosP,
  divP,
  equalP,
  expm1P,
  expP,
  floorP,
  isFiniteP,
  isNanP,
  lessEqualP,
  lessP,
  log1pP,
  logP,
  maximumP,
  minimumP,
  modP,
  mulP,
  negP,
  notEqualP,
  notP,
  orP,
  powP,
  reluP,
  roundP,
  sigmoidP,
  signP,
  sinhP,
  sinP,
  sqrtP,
  subP,
  tanhP,
  tanP,
  whereP,
  xorP,
} from "../primitives/elementwise.js";
import { broadcastShapes } from "../shape.js";
import { isTensor, type Tensor, type TensorLike } from "../tensor.js";
import { broadcastTo } from "./movement.js";
import {
  comparison,
  floatBinary,
  floatUnary,
  logical,
  numberBinary,
  numberTest,
  numberUnary,
  promoteOperands,
  towardsInteger,
} from "./operands.js";

/** `-x`. Elementwise. */
export function neg(x: TensorLike): Tensor {
  return numberUnary(negP, x);
}

/** The magnitude `|x|`; its gradient at 0 is 0. Elementwise. */
export function abs(x: TensorLike): Tensor {
  return numberUnary(absP, x);
}

/** -1, 0 or 1; the gradient is 0. Elementwise. */
export function sign(x: TensorLike): Tensor {
  return numberUnary(signP, x);
}

/** The largest integer not above x; the gradient is 0, integers stay as they are. Elementwise. */
export function floor(x: TensorLike): Tensor {
  return towardsInteger(floorP, x);
}

/** The smallest integer not below x; the gradient is 0, integers stay as they are. Elementwise. */
export function ceil(x: TensorLike): Tensor {
  return towardsInteger(ceilP, x);
}

/** The nearest integer, halves to the even one; the gradient is 0, integers stay as they are. Elementwise. */
export function round(x: TensorLike): Tensor {
  return towardsInteger(roundP, x);
}

/** The square root. Elementwise. */
export function sqrt(x: TensorLike): Tensor {
  return floatUnary(sqrtP, x);
}

/** `e^x`. Elementwise. */
export function exp(x: TensorLike): Tensor {
  return floatUnary(expP, x);
}

/** `e^x - 1`, accurate near 0. Elementwise. */
export function expm1(x: TensorLike): Tensor {
  return floatUnary(expm1P, x);
}

/** The natural logarithm. Elementwise. */
export function log(x: TensorLike): Tensor {
  return floatUnary(logP, x);
}

/** `ln(1 + x)`, accurate near 0. Elementwise. */
export function log1p(x: TensorLike): Tensor {
  return floatUnary(log1pP, x);
}

/** The sine of radians. Elementwise. */
export function sin(x: TensorLike): Tensor {
  return floatUnary(sinP, x);
}

/** The cosine of radians. Elementwise. */
export function cos(x: TensorLike): Tensor {
  return floatUnary(cosP, x);
}

/** The tangent of radians. Elementwise. */
export function tan(x: TensorLike): Tensor {
  return floatUnary(tanP, x);
}

/** The inverse sine, in radians. Elementwise. */
export function asin(x: TensorLike): Tensor {
  return floatUnary(asinP, x);
}

/** The inverse cosine, in radians. Elementwise. */
export function acos(x: TensorLike): Tensor {
  return floatUnary(acosP, x);
}

/** The inverse tangent, in radians. Elementwise. */
export function atan(x: TensorLike): Tensor {
  return floatUnary(atanP, x);
}

/** The hyperbolic sine. Elementwise. */
export function sinh(x: TensorLike): Tensor {
  return floatUnary(sinhP, x);
}

/** The hyperbolic cosine. Elementwise. */
export function cosh(x: TensorLike): Tensor {
  return floatUnary(coshP, x);
}

/** The hyperbolic tangent. Elementwise. */
export function tanh(x: TensorLike): Tensor {
  return floatUnary(tanhP, x);
}

/** The inverse hyperbolic sine. Elementwise. */
export function asinh(x: TensorLike): Tensor {
  return floatUnary(asinhP, x);
}

/** The inverse hyperbolic cosine. Elementwise. */
export function acosh(x: TensorLike): Tensor {
  return floatUnary(acoshP, x);
}

/** The inverse hyperbolic tangent. Elementwise. */
export function atanh(x: TensorLike): Tensor {
  return floatUnary(atanhP, x);
}

/** The logistic function `1 / (1 + e^-x)`, without overflow. Elementwise. */
export function sigmoid(x: TensorLike): Tensor {
  return floatUnary(sigmoidP, x);
}

/** `max(x, 0)`; its gradient at 0 is 0. Elementwise. */
export function relu(x: TensorLike): Tensor {
  return numberUnary(reluP, x);
}

/** `a + b`. Elementwise, broadcasting. */
export function add(a: TensorLike, b: TensorLike): Tensor {
  return numberBinary(addP, a, b);
}

/** `a - b`. Elementwise, broadcasting. */
export function sub(a: TensorLike, b: TensorLike): Tensor {
  return numberBinary(subP, a, b);
}

/** `a * b`. Elementwise, broadcasting. */
export function mul(a: TensorLike, b: TensorLike): Tensor {
  return numberBinary(mulP, a, b);
}

/** `a / b`; integers are divided as float32. Elementwise, broadcasting. */
export function div(a: TensorLike, b: TensorLike): Tensor {
  return floatBinary(divP, a, b);
}

/** `a ^ b`; integers are raised as float32. Elementwise, broadcasting. */
export function pow(a: TensorLike, b: TensorLike): Tensor {
  return floatBinary(powP, a, b);
}

/** The larger of a and b; NaN if either is. Equal operands share the gradient. Elementwise, broadcasting. */
export function maximum(a: TensorLike, b: TensorLike): Tensor {
  return numberBinary(maximumP, a, b);
}

/** The smaller of a and b; NaN if either is. Equal operands share the gradient. Elementwise, broadcasting. */
export function minimum(a: TensorLike, b: TensorLike): Tensor {
  return numberBinary(minimumP, a, b);
}

/**
 * The remainder of a / b with the sign of b. Of division by 0 it is NaN, and 0 for integers, as in NumPy. Elementwise,
 * broadcasting.
 */
export function mod(a: TensorLike, b: TensorLike): Tensor {
  return numberBinary(modP, a, b);
}

/** The angle of the point (b, a), in radians. Elementwise, broadcasting. */
export function atan2(a: TensorLike, b: TensorLike): Tensor {
  return floatBinary(atan2P, a, b);
}

/** Whether `a = b`; bool. Elementwise, broadcasting. */
export function equal(a: TensorLike, b: TensorLike): Tensor {
  return comparison(equalP, a, b);
}

/** Whether `a != b`; bool. Elementwise, broadcasting. */
export function notEqual(a: TensorLike, b: TensorLike): Tensor {
  return comparison(notEqualP, a, b);
}

/** Whether `a < b`; bool. Elementwise, broadcasting. */
export function less(a: TensorLike, b: TensorLike): Tensor {
  return comparison(lessP, a, b);
}

/** Whether `a <= b`; bool. Elementwise, broadcasting. */
export function lessEqual(a: TensorLike, b: TensorLike): Tensor {
  return comparison(lessEqualP, a, b);
}

/** Whether both are true (not 0); bool. Elementwise, broadcasting. */
export function logicalAnd(a: TensorLike, b: TensorLike): Tensor {
  return logical(andP, a, b);
}

/** Whether one is true (not 0); bool. Elementwise, broadcasting. */
export function logicalOr(a: TensorLike, b: TensorLike): Tensor {
  return logical(orP, a, b);
}

/** Whether just one is true (not 0); bool. Elementwise, broadcasting. */
export function logicalXor(a: TensorLike, b: TensorLike): Tensor {
  return logical(xorP, a, b);
}

/** Whether `a > b`; bool. Elementwise, broadcasting. */
export function greater(a: TensorLike, b: TensorLike): Tensor {
  return less(b, a);
}

/** Whether `a >= b`; bool. Elementwise, broadcasting. */
export function greaterEqual(a: TensorLike, b: TensorLike): Tensor {
  return lessEqual(b, a);
}

/** Whether x is false (0); bool. Elementwise. */
export function logicalNot(x: TensorLike): Tensor {
  return bindOne(notP, [cast(asTensor(x), "bool")], null);
}

/** Whether x is not a number; bool. Elementwise. */
export function isNaN(x: TensorLike): Tensor {
  return numberTest(isNanP, x);
}

/** Whether x is neither infinite nor NaN; bool. Elementwise. */
export function isFinite(x: TensorLike): Tensor {
  return numberTest(isFiniteP, x);
}

/** `condition ? a : b`. Elementwise, broadcasting; gradients flow only into the branch that was taken. */
export function where(condition: TensorLike, a: TensorLike, b: TensorLike): Tensor {
  const c = cast(asTensor(condition), "bool");
  const chosen = select(c, a, b);
  return isWeak(a) && isWeak(b) ? weakResult(chosen, [a, b], ([x, y]) => select(c, x, y)) : chosen;
}

function select(c: Tensor, a: TensorLike, b: TensorLike): Tensor {
  const [x, y] = promoteOperands("where", [a, b]);
  const shape = broadcastShapes("where", c.shape, broadcastShapes("where", x.shape, y.shape));
  return bindOne(whereP, [broadcastTo(c, shape), broadcastTo(x, shape), broadcastTo(y, shape)], null);
}

/**
 * The values as another element type. Floats become integers by truncation; anything but 0 becomes true.
 * Gradients pass between float types and stop at others.
 */
export function cast(x: TensorLike, dtype: DType): Tensor {
  if (!isTensor(x)) return asTensor(x, dtype);
  if (x.dtype === dtype) return strong(x);
  requireKnownDType("cast", dtype);
  if (!isWeak(x)) return bindOne(castP, [x], { dtype });
  const wide = widened(x);
  return dtype === "float64" ? wide : bindOne(castP, [wide], { dtype });
}

/** x limited to `[low, high]`; the gradient is 0 outside. Elementwise, broadcasting. */
export function clip(x: TensorLike, low: TensorLike, high: TensorLike): Tensor {
  return minimum(maximum(x, low), high);
}

/** `x * x`. Elementwise. */
export function square(x: TensorLike): Tensor {
  const t = asTensor(x);
  return mul(t, t);
}

/** `1 / sqrt(x)`. Elementwise. */
export function rsqrt(x: TensorLike): Tensor {
  return div(1, sqrt(x));
}
