import { asTensor } from "../construct.js";
import type { DType } from "../dtype.js";
import { isFloat, promote } from "../dtype.js";
import { DTypeError } from "../errors.js";
import { isWeak, literalValue, weakResult, widened } from "../literals.js";
import { bindOne, type Primitive } from "../primitive.js";
import { broadcastShapes } from "../shape.js";
import { isTensor, scalarTensor, type Tensor, type TensorLike } from "../tensor.js";
import { cast } from "./elementwise.js";
import { broadcastTo } from "./movement.js";

/**
 * The operands as tensors of one dtype. What is weakly typed takes the dtype of the others (float32 where those are
 * integers and it is not); alone it is float32.
 */
export function promoteOperands(operation: string, values: readonly TensorLike[]): Tensor[] {
  let dtype: DType | undefined;
  for (const value of values) {
    if (isWeak(value)) continue;
    const own = isTensor(value) ? value.dtype : typeof value === "boolean" ? "bool" : asTensor(value).dtype;
    dtype = dtype === undefined ? own : promote(dtype, own);
  }
  for (const value of values) {
    if (!isWeak(value)) continue;
    if (dtype === undefined) dtype = "float32";
    else if (dtype === "bool" || dtype === "int32") {
      const number = literalValue(value);
      dtype = number !== undefined && Number.isInteger(number) ? "int32" : "float32";
    }
  }
  if (dtype === undefined) throw new DTypeError(`${operation}: no operands given`);
  const type = dtype;
  return values.map((value) =>
    typeof value === "number" ? scalarTensor(value, type) : isTensor(value) ? cast(value, type) : asTensor(value, type),
  );
}

/** The operands with one dtype and one shape. */
export function alignOperands(operation: string, values: readonly TensorLike[]): Tensor[] {
  const tensors = promoteOperands(operation, values);
  let shape = tensors[0].shape;
  for (let i = 1; i < tensors.length; i++) shape = broadcastShapes(operation, shape, tensors[i].shape);
  return tensors.map((x) => broadcastTo(x, shape));
}

/** Floats stay; integers and booleans become float32. */
export function asFloat(x: TensorLike): Tensor {
  const t = asTensor(x);
  return isFloat(t.dtype) ? t : cast(t, "float32");
}

/** Numbers stay; booleans become int32. */
function asNumber(x: Tensor): Tensor {
  return x.dtype === "bool" ? cast(x, "int32") : x;
}

/** An elementwise primitive of floats applied to an operand. */
export function floatUnary<P>(primitive: Primitive<P>, x: TensorLike, params = null as P): Tensor {
  if (isWeak(x)) return weakUnary(primitive, x, params);
  return bindOne(primitive, [asFloat(x)], params);
}

/** An elementwise primitive of numbers applied to an operand. */
export function numberUnary(primitive: Primitive<null>, x: TensorLike): Tensor {
  if (isWeak(x)) return weakUnary(primitive, x, null);
  return bindOne(primitive, [asNumber(asTensor(x))], null);
}

/** A rounding applied to an operand; integers are whole already and booleans become int32. */
export function towardsInteger(primitive: Primitive<null>, x: TensorLike): Tensor {
  if (isWeak(x)) return weakUnary(primitive, x, null);
  const t = asNumber(asTensor(x));
  return isFloat(t.dtype) ? bindOne(primitive, [t], null) : t;
}

/** A test of numbers, which gives bool. */
export function numberTest(primitive: Primitive<null>, x: TensorLike): Tensor {
  return bindOne(primitive, [isWeak(x) ? widened(x) : asNumber(asTensor(x))], null);
}

function weakUnary<P>(primitive: Primitive<P>, x: number | Tensor, params: P): Tensor {
  return weakResult(bindOne(primitive, [asTensor(x)], params), [x], (wide) => bindOne(primitive, wide, params));
}

/** An elementwise primitive of numbers applied to operands that are made to fit. */
export function numberBinary(primitive: Primitive<null>, a: TensorLike, b: TensorLike): Tensor {
  if (isWeak(a) && isWeak(b)) return weakTogether(primitive, [a, b]);
  return bindOne(primitive, alignOperands(primitive.name, [a, b]).map(asNumber), null);
}

/** An elementwise primitive of floats applied to operands that are made to fit. */
export function floatBinary(primitive: Primitive<null>, a: TensorLike, b: TensorLike): Tensor {
  return floatTogether(primitive, primitive.name, [a, b]);
}

/** An elementwise primitive of floats applied to any number of operands that are made to fit. */
export function floatTogether(primitive: Primitive<null>, operation: string, values: readonly TensorLike[]): Tensor {
  if (values.every(isWeak)) return weakTogether(primitive, values as (number | Tensor)[]);
  return bindOne(primitive, alignOperands(operation, values).map(asFloat), null);
}

function weakTogether(primitive: Primitive<null>, values: readonly (number | Tensor)[]): Tensor {
  const compute = (operands: readonly TensorLike[]) =>
    bindOne(primitive, alignOperands(primitive.name, operands), null);
  return weakResult(compute(values), values, compute);
}

/** A comparison of operands that are made to fit. */
export function comparison(primitive: Primitive<null>, a: TensorLike, b: TensorLike): Tensor {
  const values = isWeak(a) && isWeak(b) ? [widened(a), widened(b)] : [a, b];
  return bindOne(primitive, alignOperands(primitive.name, values), null);
}

/** An operation of truth values. */
export function logical(primitive: Primitive<null>, a: TensorLike, b: TensorLike): Tensor {
  const operands = [a, b].map((x) => cast(asTensor(x), "bool"));
  return bindOne(primitive, alignOperands(primitive.name, operands), null);
}
