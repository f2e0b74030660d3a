import { asTensor } from "../construct.js";
import type { DType } from "../dtype.js";
import { DTypeError, ShapeError, ValueError } from "../errors.js";
import { formatShape, rowMajorStrides, type Shape, sizeOf, validateShape } from "../shape.js";
import { copyStrided } from "../strided.js";
import { castData, isTensor, type Tensor, type TensorLike } from "../tensor.js";

/** Element type of continuous results. */
export interface FloatOptions {
  /** "float32" (the default) or "float64". The same numbers are drawn for both; float32 rounds them. */
  dtype?: DType;
}

/** A parameter of a distribution: one number, or one per element of the result. */
export interface Parameter {
  readonly constant: number;
  /** Row-major values over the whole result; undefined when constant. */
  readonly values: Float64Array | undefined;
}

/** What a parameter may be, with the words for messages. */
export interface Domain {
  readonly holds: (value: number) => boolean;
  readonly words: string;
}

export const finite: Domain = { holds: Number.isFinite, words: "a finite number" };
export const nonNegative: Domain = { holds: (v) => v >= 0 && v < Infinity, words: "finite and at least 0" };
export const positive: Domain = { holds: (v) => v > 0 && v < Infinity, words: "finite and above 0" };
export const positiveOrInfinite: Domain = { holds: (v) => v > 0, words: "above 0" };
export const probability: Domain = { holds: (v) => v >= 0 && v <= 1, words: "between 0 and 1" };
export const notNaN: Domain = { holds: (v) => !Number.isNaN(v), words: "a number, possibly infinite" };

/** Throws unless there are options. */
export function requireOptions(operation: string, options: object | undefined, needed: string): void {
  if (options === undefined) throw new ValueError(`${operation}: no options are given; it needs ${needed}`);
}

/** Throws unless `value` lies in the domain. */
export function requireDomain(operation: string, name: string, value: number, domain: Domain): void {
  if (typeof value !== "number" || !domain.holds(value)) {
    throw new ValueError(`${operation}: ${name} is ${String(value)}; it must be ${domain.words}`);
  }
}

/** Float64 values of a tensor or number, checked, broadcast to the shape of the result. */
export function parameter(
  operation: string,
  name: string,
  given: TensorLike,
  shape: Shape,
  domain: Domain = finite,
): Parameter {
  if (typeof given === "number") {
    requireDomain(operation, name, given, domain);
    return { constant: given, values: undefined };
  }
  const x = isTensor(given) ? given : asTensor(given, "float64");
  const source = castData(x, "float64") as Float64Array;
  for (const value of source) requireDomain(operation, name, value, domain);
  if (x.size === 1 && x.rank <= shape.length) return { constant: source[0], values: undefined };
  return { constant: Number.NaN, values: broadcastData(operation, name, source, x, shape) };
}

function broadcastData(operation: string, name: string, data: Float64Array, x: Tensor, shape: Shape): Float64Array {
  const own = rowMajorStrides(x.shape);
  const lead = shape.length - x.rank;
  const fits = lead >= 0 && x.shape.every((extent, axis) => extent === 1 || extent === shape[lead + axis]);
  if (!fits) {
    throw new ShapeError(
      `${operation}: ${name} has shape ${formatShape(x.shape)}, which does not broadcast to the result's ` +
        `${formatShape(shape)}; give the full shape of the result`,
    );
  }
  const strides = shape.map((_, axis) => (axis < lead || x.shape[axis - lead] === 1 ? 0 : own[axis - lead]));
  const out = new Float64Array(sizeOf(shape));
  copyStrided(data, 0, strides, shape, out);
  return out;
}

/** Throws unless the shape holds non-negative integers. */
export function requireShape(operation: string, shape: Shape): void {
  if (!Array.isArray(shape)) {
    throw new ShapeError(`${operation}: the shape is ${String(shape)}; give an array of extents, [] for a scalar`);
  }
  validateShape(operation, shape);
}

/** The dtype of floating results; float32 unless named. */
export function floatDType(operation: string, dtype: DType | undefined): "float32" | "float64" {
  if (dtype === undefined) return "float32";
  if (dtype !== "float32" && dtype !== "float64") {
    throw new DTypeError(`${operation}: dtype ${dtype} cannot hold these numbers; use float32 or float64`);
  }
  return dtype;
}

/** The parameter of draw `i`. */
export function at(parameter: Parameter, i: number): number {
  return parameter.values === undefined ? parameter.constant : parameter.values[i];
}
